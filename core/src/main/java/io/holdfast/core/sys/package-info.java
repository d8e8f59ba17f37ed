/**
 * The bindings of libc and the kernel, one class per C header, for the modules of Holdfast alone.
 *
 * <p>The classes named after headers ({@link io.holdfast.core.sys.socket.SysSocket} for {@code
 * sys/socket.h}, …) keep the C names, so that the man pages document them. Their methods return
 * what the call returns, or {@code -errno}; they never throw for what the kernel says, restart
 * after {@code EINTR} and are safe for use by any thread. All downcalls are bound in {@link
 * io.holdfast.core.sys.Libc}, over one call shape.
 */
@NullMarked
package io.holdfast.core.sys;

import org.jspecify.annotations.NullMarked;
