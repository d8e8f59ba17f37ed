package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.Optional;
import java.util.function.Function;

/** The processes that a process descends from. */
final class Ancestors {
    private Ancestors() {}

    /**
     * Asks each ancestor in turn, the parent first, and returns the first answer; empty if the
     * process has ended meanwhile.
     *
     * @param question called with each ancestor, which is lent
     */
    static <T> Optional<T> nearest(PidFd process, Function<PidFd, Optional<T>> question) {
        PidFd at = process.duplicate();
        try {
            for (int i = 0; i < ManagerLimits.ANCESTORS.intValue(); i++) {
                Optional<PidFd> parent = at.parent();
                if (parent.isEmpty()) {
                    return Optional.empty();
                }
                at.close();
                at = parent.get();
                Optional<T> answer = question.apply(at);
                if (answer.isPresent()) {
                    return answer;
                }
            }
            return Optional.empty();
        } catch (ErrnoException e) {
            return Optional.empty(); // it has ended meanwhile
        } finally {
            at.close();
        }
    }
}
