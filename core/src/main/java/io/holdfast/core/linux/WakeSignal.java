package io.holdfast.core.linux;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * The signal that ends a blocking call of one of our threads with EINTR (signal(7)). Its handler
 * does nothing, and is installed without SA_RESTART: that it came is all there is to it. Where
 * something else has been done about the signal before, that stays, and threads wait by other
 * means.
 *
 * <p>It is SIGSTKFLT, which nothing on Linux sends. A real-time signal would not do: it fails when
 * too many are pending for the user (RLIMIT_SIGPENDING).
 */
final class WakeSignal {
    static final int NUMBER = 16;

    // struct sigaction of glibc, the same on x86_64 and aarch64
    static final int HANDLER = 0;
    static final int SIGACTION_SIZE = 152;

    private static final int MASK_SIZE = 128; // sigset_t
    private static final int SIG_UNBLOCK = 1;
    private static final long SIG_DFL = 0;

    private static final MethodHandle SIGACTION = Libc.bind("sigaction");
    private static final MethodHandle PTHREAD_SIGMASK = Libc.bind("pthread_sigmask");
    private static final @Nullable MethodHandle TGKILL = Libc.find("tgkill"); // glibc 2.30

    private static final int PID = Unistd.getpid();
    private static final boolean INSTALLED = TGKILL != null && install();

    private WakeSignal() {}

    /** Whether threads of this process can be woken so. */
    static boolean isInstalled() {
        return INSTALLED;
    }

    private static boolean install() {
        Scratch scratch = Scratch.take();
        try {
            int r = sigaction(scratch, 0, scratch.address);
            if (r < 0 || scratch.bytes.getLong(HANDLER) != SIG_DFL) {
                return false;
            }
            scratch.memory.asSlice(0, SIGACTION_SIZE).fill((byte) 0);
            scratch.bytes.putLong(HANDLER, Libc.address("abs")); // takes an int, and has no effect
            return sigaction(scratch, scratch.address, 0) == 0;
        } finally {
            scratch.give();
        }
    }

    private static int sigaction(Scratch scratch, long action, long before) {
        return Libc.intCall(SIGACTION, scratch.errno, NUMBER, action, before, 0, 0, 0);
    }

    /** Lets it reach the calling thread, which may have it blocked from who started the JVM. */
    static void admit() {
        Scratch scratch = Scratch.take();
        try {
            scratch.memory.asSlice(0, MASK_SIZE).fill((byte) 0);
            scratch.bytes.putLong(0, 1L << (NUMBER - 1));
            int ignored =
                    Libc.intCall(
                            PTHREAD_SIGMASK,
                            scratch.errno,
                            SIG_UNBLOCK,
                            scratch.address,
                            0,
                            0,
                            0,
                            0);
        } finally {
            scratch.give();
        }
    }

    /** Sends it to a thread of this process, which the caller keeps from ending meanwhile. */
    static void send(int tid) {
        int ignored = Libc.intCall(requireNonNull(TGKILL), PID, tid, NUMBER, 0, 0, 0);
    }
}
