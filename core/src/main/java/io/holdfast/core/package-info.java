/**
 * Descriptors, errors, signals and waiting: what the other packages are made of.
 *
 * <p>An {@link io.holdfast.core.Fd} owns a descriptor, {@link io.holdfast.core.Readiness} and
 * {@link io.holdfast.core.EventLoop} wait for it, an {@link io.holdfast.core.ErrnoException} names
 * the call that failed, and {@link io.holdfast.core.Feature} tells what this kernel and libc can
 * do. Most programs begin with {@code io.holdfast.core.process} and {@code
 * io.holdfast.core.socket}.
 */
@NullMarked
package io.holdfast.core;

import org.jspecify.annotations.NullMarked;
