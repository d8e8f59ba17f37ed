/**
 * The narrow door to libc and the kernel: owned descriptors, errno, readiness, the event loop, and
 * one class per C header with that header's calls.
 *
 * <p>Most programs want {@code io.holdfast.core.process} and {@code io.holdfast.core.socket}; this
 * package is what those are made of, and what wire code builds on. All downcalls of Holdfast are
 * bound here, over one call shape.
 *
 * <p>The classes named after headers ({@link io.holdfast.core.linux.SysPidfd} for {@code
 * sys/pidfd.h}, {@link io.holdfast.core.linux.SysSocket} for {@code sys/socket.h}, …) keep the C
 * names, so that the man pages document them. Their methods return what the call returns, or {@code
 * -errno}; they never throw for what the kernel says, restart after {@code EINTR} and are safe for
 * use by any thread.
 */
@NullMarked
package io.holdfast.core.linux;

import org.jspecify.annotations.NullMarked;
