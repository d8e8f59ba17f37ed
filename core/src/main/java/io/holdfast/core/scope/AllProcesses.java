package io.holdfast.core.scope;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import java.util.Optional;
import java.util.function.ObjIntConsumer;

/** The processes that {@code /proc} lists. */
final class AllProcesses {
    private AllProcesses() {}

    /**
     * Hands each process of a user to the action, which owns it; this JVM is not included.
     *
     * @param user the real user id
     * @param action called with the process and its PID
     */
    static void visit(long user, ObjIntConsumer<PidFd> action) {
        try (Fd proc = Fcntl.open("/proc", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY);
                PidFd self = PidFd.self()) {
            for (String name : SysDirent.directories(proc)) {
                if (Character.isDigit(name.charAt(0))) {
                    visit(Integer.parseInt(name), user, self, action);
                }
            }
        }
    }

    private static void visit(int number, long user, PidFd self, ObjIntConsumer<PidFd> action) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isPresent()) {
            PidFd process = found.get();
            if (isOf(process, user) && !process.equals(self)) {
                action.accept(process, number);
            } else {
                process.close();
            }
        }
    }

    private static boolean isOf(PidFd process, long user) {
        try {
            return process.info().credentials().filter(ids -> ids.realUid() == user).isPresent();
        } catch (ErrnoException e) {
            if (ProcessScope.isShortage(e)) {
                process.close();
                throw e;
            }
            return false; // it has ended
        }
    }
}
