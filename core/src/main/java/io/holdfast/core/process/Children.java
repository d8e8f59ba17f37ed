package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ObjIntConsumer;

/**
 * Finds the children of a process: each is opened by the PID that {@code /proc} lists, which
 * another process may have by then, so its parent is checked afterwards. As long as the parent is
 * not reaped, no other process has the parent's PID.
 */
final class Children {
    private Children() {}

    /** Returns the children, or all descendants. */
    static Members of(PidFd top, boolean below) {
        List<PidFd> found = new ArrayList<>();
        try {
            Deque<PidFd> parents = new ArrayDeque<>();
            parents.add(top);
            for (PidFd next = parents.poll(); next != null; next = parents.poll()) {
                int before = found.size();
                visit(next, (child, _) -> found.add(child));
                if (below) {
                    parents.addAll(found.subList(before, found.size()));
                }
            }
            return Members.adopt(found);
        } catch (RuntimeException e) {
            found.forEach(PidFd::close);
            throw e;
        }
    }

    /** Hands the children to the action one by one, the newest first. */
    static void visit(PidFd parent, ObjIntConsumer<PidFd> action) {
        int number;
        int[] numbers;
        try {
            number = parent.pid();
            numbers = parent.proc().children();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return; // it was reaped: others have adopted its children
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

    /** Returns whether it is a child of this parent, and closes it otherwise. */
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
}
