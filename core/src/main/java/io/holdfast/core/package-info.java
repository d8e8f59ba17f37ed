/**
 * Descriptors, errors, signals and waiting: the base of the other packages.
 *
 * <p>An {@link io.holdfast.core.Fd} owns a descriptor, {@link io.holdfast.core.Readiness} and
 * {@link io.holdfast.core.EventLoop} wait for it, an {@link io.holdfast.core.ErrnoException} names
 * the call that failed, and {@link io.holdfast.core.Feature} reports what this kernel and libc
 * support. Most programs begin with {@code io.holdfast.core.process} and {@code
 * io.holdfast.core.socket}.
 */
@NullMarked
package io.holdfast.core;

import org.jspecify.annotations.NullMarked;
