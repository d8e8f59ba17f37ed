package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import java.util.function.BiPredicate;

/** The children of this JVM that no other code reaps. */
final class OwnChildren {
    private OwnChildren() {}

    /**
     * Reaps the zombies among our children that match the predicate and that no other code reaps.
     */
    static void reap(BiPredicate<PidFd, Integer> matches) {
        try (PidFd self = PidFd.self()) {
            self.visitChildren((child, number) -> {
                try (child) {
                    boolean isZombie = child.state() == PidFd.State.EXITED;
                    if (isZombie && matches.test(child, number)) {
                        boolean _ = reap(child);
                    }
                }
            });
        }
    }

    /**
     * Reaps a process that has exited, unless its owner reaps it.
     *
     * @return whether this call has reaped it
     */
    static boolean reap(PidFd exited) {
        if (Child.isStarted(exited)) {
            return false; // the poller reaps it
        }
        try {
            return exited.reap().isPresent();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ECHILD) {
                return false; // not our child yet, or no longer
            }
            throw e;
        }
    }
}
