package io.holdfast.manager.process;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;

/**
 * Orphans that come to the keeper. What a killed manager has started is the keeper's child, and so
 * the orphans of that are, too; the keeper reaps nothing unasked, and so it is asked from time to
 * time, if something has ended there that no unit has to know of. On the loop.
 */
public final class KeeperOrphans {
    private final EventLoop loop;
    private final Lane lane;
    private final ProcessIndex index;
    private final Runnable reap;

    /**
     * @param reap asks the keeper, which then reaps all that has ended
     */
    public KeeperOrphans(EventLoop loop, Lane lane, ProcessIndex index, Runnable reap) {
        this.loop = loop;
        this.lane = lane;
        this.index = index;
        this.reap = reap;
    }

    /** Looks from now on, for as long as the loop runs. */
    public void begin() {
        EventLoop.Timer _ = loop.after(ManagerLimits.KEEPER_REAP.duration(), this::look);
    }

    private void look() {
        Work<Boolean> _ =
                lane.work("to look for orphans of the keeper", this::isAskedFor)
                        .within(ManagerLimits.QUESTION_PATIENCE.duration())
                        .begin((isAskedFor, _) -> {
                            if (isAskedFor != null && isAskedFor) {
                                reap.run();
                            }
                            begin();
                        });
    }

    /** Not while a process of a unit has ended there, whose status is about to be read. */
    private boolean isAskedFor() {
        boolean[] orphan = {false};
        boolean[] held = {false};
        KeeperChildren.visitEnded(child -> {
            boolean isHeld = index.isHeld(child);
            held[0] |= isHeld;
            orphan[0] |= !isHeld;
        });
        return orphan[0] && !held[0];
    }
}
