package io.holdfast.core.scope;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiPredicate;

/** The children of a process, held, and those of this JVM that nobody else waits for. */
final class OwnChildren {
    private OwnChildren() {}

    /** What is done with a child. */
    interface Action {
        /**
         * Takes over a child.
         *
         * @param number its own, as long as it is not reaped
         */
        void accept(PidFd child, int number);
    }

    /**
     * Hands over the children of a process, the newest first, each verified to be one: a number
     * that is opened may be anybody's by then, so its parent is asked for afterwards, and as long
     * as the parent is not reaped its own number is nobody else's.
     *
     * @param action owns what it is given
     */
    static void forEach(PidFd parent, Action action) {
        int number;
        int[] numbers;
        try {
            number = parent.pid();
            numbers = parent.proc().children();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return; // it was reaped: its children are somebody else's
            }
            throw e;
        }
        for (int i = numbers.length - 1; i >= 0; i--) {
            Optional<PidFd> found = PidFd.find(numbers[i]);
            if (found.isPresent()) {
                PidFd child = found.get();
                if (isVerified(child, parent, number)) {
                    action.accept(child, numbers[i]);
                }
            }
        }
    }

    /** Closes one that is not a child. */
    private static boolean isVerified(PidFd child, PidFd parent, int number) {
        boolean is = false;
        try {
            OptionalInt now = child.info().ppid();
            is =
                    now.isPresent()
                            && now.getAsInt() == number
                            && parent.state() != PidFd.State.REAPED;
        } finally {
            if (!is) {
                child.close();
            }
        }
        return is;
    }

    /** Reaps the zombies among our children that nobody else waits for and that are meant. */
    static void reap(BiPredicate<PidFd, Integer> meant) {
        try (PidFd self = PidFd.self()) {
            forEach(
                    self,
                    (child, number) -> {
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
