package io.holdfast.benchmarks.library;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;

/** The calls of {@link CallsRow}. */
final class CallsSubject {
    private static final Signal NONE = new Signal(0);

    private CallsSubject() {}

    static String run(String call, int pid, int n) {
        try (PidFd target = PidFd.open(pid)) {
            return Long.toString(
                    switch (call) {
                        case "info" -> info(target, pid, n);
                        case "open" -> open(pid, n);
                        default -> signal(target, n);
                    });
        }
    }

    private static long info(PidFd target, int pid, int n) {
        long begin = System.nanoTime();
        for (int i = 0; i < n; i++) {
            ProcessInfo info = target.info();
            if (info.pid().getAsInt() != pid) {
                throw new IllegalStateException(info.toString());
            }
        }
        return System.nanoTime() - begin;
    }

    private static long open(int pid, int n) {
        long begin = System.nanoTime();
        for (int i = 0; i < n; i++) {
            PidFd.open(pid).close();
        }
        return System.nanoTime() - begin;
    }

    private static long signal(PidFd target, int n) {
        long begin = System.nanoTime();
        for (int i = 0; i < n; i++) {
            if (!target.signal(NONE)) {
                throw new IllegalStateException(target.toString());
            }
        }
        return System.nanoTime() - begin;
    }
}
