/**
 * What runs on the manager's loop and beside it: workers, deadlines, limits.
 *
 * <p>All state of a manager belongs to the thread that runs its loop, so nothing is locked and
 * nothing waits there. What may block is {@link io.holdfast.manager.loop.Work} in a {@link
 * io.holdfast.manager.loop.Lane}: a worker does it, its answer comes back on the loop, and one that
 * hangs in the kernel costs the lane of its own unit only.
 */
@NullMarked
package io.holdfast.manager.loop;

import org.jspecify.annotations.NullMarked;
