/**
 * Processes held by descriptor: open, watch, inspect, signal, spawn, and their cgroups and
 * namespaces.
 *
 * <p>A PID is a number that the kernel hands out again; a {@link io.holdfast.core.process.PidFd} is
 * the process. No code here decides by PID: a PID that enters the API becomes a {@code PidFd}, and
 * what is read from {@code /proc} for it is verified against the descriptor before it is returned.
 */
@NullMarked
package io.holdfast.core.process;

import org.jspecify.annotations.NullMarked;
