/**
 * Processes held by descriptor: open, watch, ask, signal, spawn, and their cgroups and namespaces.
 *
 * <p>A PID is a number that the kernel hands out again; a {@link io.holdfast.core.process.PidFd} is
 * the process. Nothing here decides by number: what comes in as a number becomes a {@code PidFd} at
 * the API, and what is read from {@code /proc} for it is verified against the descriptor before it
 * is handed out.
 */
@NullMarked
package io.holdfast.core.process;

import org.jspecify.annotations.NullMarked;
