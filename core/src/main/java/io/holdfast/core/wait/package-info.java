/**
 * How threads wait: the poller that serves all virtual threads and callbacks, the waits of platform
 * threads, and the parts of an event loop. Not exported: {@code Readiness} and {@code EventLoop}
 * are its public API.
 */
@NullMarked
package io.holdfast.core.wait;

import org.jspecify.annotations.NullMarked;
