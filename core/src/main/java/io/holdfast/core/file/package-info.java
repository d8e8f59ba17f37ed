/**
 * Opens files that other users can influence: relative to a held directory, with guarded symbolic
 * links, without waiting, and with every check made on the file that is then opened.
 *
 * <p>A daemon that runs as root reads paths from unit files and configurations, and some of them
 * lead into directories that a service's user may write. That user can put anything there, and
 * exchange it at any time: a FIFO at which {@code open(2)} waits for ever, a symbolic link to a
 * file that only root may read or write, a hard link to root's FIFO, a device, a file that never
 * ends. A check before the open does not help, since the path can mean another file by then.
 *
 * <p>Every open of this package therefore takes the same steps:
 *
 * <ol>
 *   <li>It walks the path one name at a time, and looks each name up in the directory that it holds
 *       open ({@code O_PATH | O_NOFOLLOW}): whatever is renamed meanwhile, each step is one that
 *       really existed. This works alike on every kernel.
 *   <li>It follows a symbolic link only if that gives no user access to another user's file: see
 *       {@link io.holdfast.core.file.OpenHow}.
 *   <li>It holds the file at the end of the path by a descriptor that can neither read nor write
 *       ({@code O_PATH}), and judges it by {@code fstat}: its type, its owner, its hard links. So
 *       far it has opened nothing that could wait, rewind a tape or arm a watchdog.
 *   <li>It opens that same file, through its descriptor, with {@code O_NONBLOCK | O_NOCTTY |
 *       O_CLOEXEC}; a FIFO without a reader or a file under a lease is refused, without a wait.
 *       Only then does it clear {@code O_NONBLOCK}, if the caller wants that.
 * </ol>
 *
 * <p>Permissions and owners are changed by descriptor. All of this can still take as long as the
 * file system takes (a server that is gone, FUSE), so none of it belongs on an event loop. The
 * owners that a file system reports are believed: where root lets users mount file systems that
 * root itself enters ({@code user_allow_other} of fuse.conf), those users can forge them.
 */
@org.jspecify.annotations.NullMarked
package io.holdfast.core.file;
