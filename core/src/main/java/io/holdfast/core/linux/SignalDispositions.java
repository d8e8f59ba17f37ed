package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.invoke.MethodHandle;

/** The disposition of SIGCHLD, on which every wait for a child depends. */
public final class SignalDispositions {
    private static final int SIGCHLD = 17;
    private static final long SIG_DFL = 0;
    private static final long SIG_IGN = 1;

    private static final MethodHandle SIGACTION = Libc.bind("sigaction");
    private static final MethodHandle SIGNAL = Libc.bind("signal");

    private SignalDispositions() {}

    /**
     * Makes children waitable: where SIGCHLD is ignored (inherited from whoever started the JVM),
     * the kernel reaps them and their status is lost. A handler that is installed stays.
     */
    public static void keepChildren() {
        Scratch scratch = Scratch.take();
        try {
            int r = Libc.intCall(SIGACTION, scratch.errno, SIGCHLD, 0, scratch.address, 0, 0, 0);
            ErrnoException.check(r, "sigaction", "SIGCHLD");
            if (scratch.memory.get(JAVA_LONG, 0) == SIG_IGN) {
                int ignored = Libc.intCall(SIGNAL, SIGCHLD, SIG_DFL, 0, 0, 0, 0);
            }
        } finally {
            scratch.give();
        }
    }
}
