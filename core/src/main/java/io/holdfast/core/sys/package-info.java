/**
 * The bindings of libc and the kernel, one class per C header, for the modules of Holdfast only.
 *
 * <p>The classes named after headers ({@link io.holdfast.core.sys.socket.SysSocket} for {@code
 * sys/socket.h}, …) keep the C names, so that the man pages document them. Unless their Javadoc has
 * a {@code @throws}, their methods return the result of the call or {@code -errno}, and do not
 * throw if the call fails. They restart after {@code EINTR} and are safe for use by any thread. All
 * downcalls are bound in {@link io.holdfast.core.sys.Libc}, over one call shape.
 */
@NullMarked
package io.holdfast.core.sys;

import org.jspecify.annotations.NullMarked;
