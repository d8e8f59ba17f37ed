package io.holdfast.manager.process;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.Optional;
import java.util.function.Predicate;

/** The processes that a process descends from. */
public final class Ancestors {
    private Ancestors() {}

    /**
     * Whether one of them passes a test; false if the process is gone meanwhile.
     *
     * @param test is lent each ancestor
     */
    public static boolean any(PidFd process, Predicate<PidFd> test) {
        PidFd at = process.duplicate();
        try {
            for (int i = 0; i < ManagerLimits.ANCESTORS.intValue(); i++) {
                Optional<PidFd> parent = at.parent();
                if (parent.isEmpty()) {
                    return false;
                }
                at.close();
                at = parent.get();
                if (test.test(at)) {
                    return true;
                }
            }
            return false;
        } catch (ErrnoException e) {
            return false; // it has gone meanwhile
        } finally {
            at.close();
        }
    }
}
