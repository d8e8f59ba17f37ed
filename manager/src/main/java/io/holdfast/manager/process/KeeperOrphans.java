package io.holdfast.manager.process;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;

/**
 * Has the keeper reap the orphans that come to it. The processes that a killed manager started are
 * the keeper's children, and so their orphans come to the keeper too. The keeper reaps only on
 * request; so this requests it from time to time, if a child has ended there that belongs to no
 * unit. On the loop.
 */
public final class KeeperOrphans {
    private final EventLoop loop;
    private final Lane lane;
    private final ProcessIndex index;
    private final Runnable reap;

    /**
     * @param reap requests the keeper to reap all children that have ended
     */
    public KeeperOrphans(EventLoop loop, Lane lane, ProcessIndex index, Runnable reap) {
        this.loop = loop;
        this.lane = lane;
        this.index = index;
        this.reap = reap;
    }

    /** Starts to look for orphans, for as long as the loop runs. */
    public void begin() {
        EventLoop.Timer _ = loop.after(ManagerLimits.KEEPER_REAP.duration(), this::look);
    }

    private void look() {
        Work<Boolean> _ =
                lane.work("the search for orphans of the keeper", this::isAskedFor)
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((isAskedFor, _) -> {
                            if (isAskedFor != null && isAskedFor) {
                                reap.run();
                            }
                            begin();
                        });
    }

    /**
     * Returns whether to reap: not while a unit's process has ended there, whose exit status is
     * about to be read.
     */
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
