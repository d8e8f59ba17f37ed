package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Signals that this process inherited as ignored or blocked. A program starts with those that its
 * parent ignored: nohup(1) ignores SIGHUP, a shell without job control ignores SIGINT for what it
 * starts with {@code &}. A JVM leaves them ignored, and then installs no handler for them either.
 */
public final class SignalDispositions {
    private static final long SIG_DFL = 0;
    private static final long SIG_IGN = 1;
    private static final int SIG_BLOCK = 0;

    /** More than a struct sigaction has on any architecture. */
    private static final int SIGACTION_SIZE = 256;

    private static final Libc.Function SIGACTION = Libc.bind("sigaction");
    private static final Libc.Function SIGNAL = Libc.bind("signal");
    private static final Libc.Function PTHREAD_SIGMASK = Libc.bind("pthread_sigmask");

    /** The disposition of SIGPIPE before {@link #ignorePipe}; guarded by the class. */
    private static final MemorySegment PIPE_BEFORE = Arena.global().allocate(SIGACTION_SIZE, 16);

    private static int pipeIgnorers; // guarded by the class

    private SignalDispositions() {}

    /**
     * Ignores SIGPIPE until {@link #restorePipe}, so that a child that is spawned meanwhile
     * inherits that. For this process it changes nothing: the handler of a JVM does nothing either.
     * Calls of several threads overlap.
     */
    static synchronized void ignorePipe() {
        if (pipeIgnorers++ == 0) {
            int number = Signal.PIPE.number();
            check(Libc.intCall(SIGACTION, number, 0, PIPE_BEFORE.address(), 0, 0, 0));
            int ignored = Libc.intCall(SIGNAL, number, SIG_IGN, 0, 0, 0, 0);
        }
    }

    static synchronized void restorePipe() {
        if (--pipeIgnorers == 0) {
            int number = Signal.PIPE.number();
            check(Libc.intCall(SIGACTION, number, PIPE_BEFORE.address(), 0, 0, 0, 0));
        }
    }

    private static void check(int r) {
        ErrnoException.check(r, "sigaction", Signal.PIPE);
    }

    /**
     * Makes children waitable: where SIGCHLD is ignored, the kernel reaps them and their status is
     * lost. A handler that is installed stays.
     */
    public static void keepChildren() {
        boolean ignored = takeBack(Signal.CHLD);
    }

    /**
     * Gives a signal its default action if it is ignored; from then on {@link EventLoop#onSignal}
     * receives it. A handler that is installed stays.
     *
     * @return whether it was ignored
     * @throws ErrnoException EINVAL if the signal cannot be ignored at all (KILL, STOP)
     */
    public static boolean takeBack(Signal signal) {
        Scratch scratch = Scratch.take();
        try {
            int r =
                    Libc.intCall(
                            SIGACTION, scratch.errno, signal.number(), 0, scratch.address, 0, 0, 0);
            ErrnoException.check(r, "sigaction", signal);
            if (scratch.bytes.getLong(0) != SIG_IGN) {
                return false;
            }
            int ignored = Libc.intCall(SIGNAL, signal.number(), SIG_DFL, 0, 0, 0, 0);
            return true;
        } finally {
            scratch.release();
        }
    }

    /**
     * Returns whether the calling thread blocks a signal. A thread inherits the mask of the thread
     * that started it, the first one that of the program that executed this one.
     *
     * @throws ErrnoException never
     */
    public static boolean isBlocked(Signal signal) {
        Scratch scratch = Scratch.take();
        try {
            int error = Libc.intCall(PTHREAD_SIGMASK, SIG_BLOCK, 0, scratch.address, 0, 0, 0);
            ErrnoException.check(-error, "pthread_sigmask", signal);
            return (scratch.bytes.getLong(0) & set(signal)) != 0;
        } finally {
            scratch.release();
        }
    }

    /** Returns the kernel's sigset_t with one signal. */
    static long set(Signal signal) {
        return 1L << (signal.number() - 1);
    }
}
