/**
 * The manager's loop and what runs beside it: workers, deadlines, limits.
 *
 * <p>All state of a manager belongs to the thread that runs its loop, so nothing is locked and
 * nothing blocks there. A call that may block is {@link io.holdfast.manager.loop.Work} in a {@link
 * io.holdfast.manager.loop.Lane}: a worker runs it, its answer arrives on the loop, and work that
 * hangs in the kernel blocks only the lane of its own unit.
 */
@NullMarked
package io.holdfast.manager.loop;

import org.jspecify.annotations.NullMarked;
