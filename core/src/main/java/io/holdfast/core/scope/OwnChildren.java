package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import java.util.function.BiPredicate;

/** The children of this JVM that nobody else waits for. */
final class OwnChildren {
    private OwnChildren() {}

    /** Reaps the zombies among our children that nobody else waits for and that are meant. */
    static void reap(BiPredicate<PidFd, Integer> meant) {
        try (PidFd self = PidFd.self()) {
            self.visitChildren((child, number) -> {
                try (child) {
                    boolean isZombie = child.state() == PidFd.State.EXITED;
                    if (isZombie && meant.test(child, number)) {
                        boolean _ = reap(child);
                    }
                }
            });
        }
    }

    /**
     * Reaps a process that has exited, unless its owner does.
     *
     * @return whether it was done here
     */
    static boolean reap(PidFd exited) {
        if (Child.isStarted(exited)) {
            return false; // the poller reaps it
        }
        try {
            return exited.reap().isPresent();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ECHILD) {
                return false; // not our child yet, or no more
            }
            throw e;
        }
    }
}
