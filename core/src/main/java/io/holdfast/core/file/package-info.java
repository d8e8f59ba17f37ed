/**
 * Opening files that others can influence: relative to a held directory, without following what
 * must not be followed, without waiting, and checked before anything is done with them.
 *
 * <p>A daemon of root's is told paths by unit files and configurations, and some of them lead into
 * directories that a service's user may write. That user can put anything there, and exchange it at
 * any moment: a FIFO at which {@code open(2)} waits for ever, a symbolic link to a file that only
 * root may read or write, a hard link to root's FIFO, a device, a file that never ends. Looking
 * first and opening then is no help, since what was looked at is not what is opened.
 *
 * <p>Every open of this package therefore goes the same way:
 *
 * <ol>
 *   <li>The path is walked one name at a time, each looked up in the directory that is held open
 *       ({@code O_PATH | O_NOFOLLOW}), so that whatever is renamed meanwhile, each step is one that
 *       was really there. This works alike on every kernel.
 *   <li>A symbolic link is followed only as far as it gives nobody what is not his: see {@link
 *       io.holdfast.core.file.OpenHow}.
 *   <li>What the path leads to is held by a descriptor that cannot read or write it ({@code
 *       O_PATH}), and is judged by {@code fstat}: its type, its owner, its hard links. Nothing has
 *       been opened yet that could wait, rewind a tape or arm a watchdog.
 *   <li>That very file is opened, by its descriptor, with {@code O_NONBLOCK | O_NOCTTY |
 *       O_CLOEXEC}; a FIFO without a reader or a file under a lease is a refusal and not a wait.
 *       Only then is {@code O_NONBLOCK} cleared, if the use wants that.
 * </ol>
 *
 * <p>Permissions and owners are changed by descriptor. All of it may still take as long as the file
 * system does (a server that is gone, FUSE), so none of it belongs on an event loop. What a file
 * system says of owners is believed: where root lets users mount file systems that root itself
 * enters ({@code user_allow_other} of fuse.conf), they can pretend.
 */
@org.jspecify.annotations.NullMarked
package io.holdfast.core.file;
