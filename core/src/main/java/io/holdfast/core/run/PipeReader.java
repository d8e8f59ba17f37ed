package io.holdfast.core.run;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Unistd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads a pipe of a run into a sink, on a virtual thread, until its end; after {@link #finish} only
 * until it is empty, since a process outside the run may hold its other end open.
 */
final class PipeReader {
    private static final int SMALL = 8 << 10; // most programs write less in total
    private static final int LARGE = 128 << 10; // more than a pipe holds by default
    private static final long MOST_THERE = 1 << 20; // the largest pipe that a program may set

    private final Fd pipe;
    private final Sink sink;
    private final CompletableFuture<Captured> captured = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Thread thread;
    private @Nullable Thread waiting; // in the wait only: an interrupt must reach no other code
    private boolean finishing;
    private long left = MOST_THERE; // bytes still to read after finish()

    private PipeReader(Fd pipe, Sink sink, Consumer<Throwable> failed) {
        this.pipe = pipe;
        this.sink = sink;
        this.thread = Thread.ofVirtual().name("holdfast-run-output").unstarted(() -> run(failed));
    }

    /**
     * Begins to read.
     *
     * @param pipe the pipe, non-blocking; owned from now on
     * @param failed called if the sink throws; {@link #captured} fails with the same exception
     */
    static PipeReader start(Fd pipe, Sink sink, Consumer<Throwable> failed) {
        PipeReader reader = new PipeReader(pipe, sink, failed);
        try {
            reader.thread.start();
        } catch (OutOfMemoryError e) { // no thread for it
            pipe.close();
            throw e;
        }
        return reader;
    }

    private void run(Consumer<Throwable> failed) {
        try (pipe) {
            copy();
            captured.complete(sink.end());
        } catch (Throwable e) { // from a callback, among others
            pipe.close(); // first: the programs may be blocked in a write
            captured.completeExceptionally(e);
            failed.accept(e);
        }
    }

    private void copy() {
        byte[] bytes = new byte[SMALL];
        for (int full = 0; full < 2; ) {
            int n = Unistd.read(pipe, bytes, 0, SMALL);
            if (!take(n, bytes)) {
                return;
            }
            full = n == SMALL ? full + 1 : 0;
        }
        copyMuch();
    }

    private void copyMuch() {
        byte[] bytes = new byte[LARGE];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(LARGE);
            int n;
            do {
                n = (int) Unistd.read(pipe, memory);
                if (n > 0) {
                    memory.asByteBuffer().get(bytes, 0, n);
                }
            } while (take(n, bytes));
        }
    }

    /** Handles the result of a read; returns false if no more is to be read. */
    private boolean take(int n, byte[] bytes) {
        if (n > 0) {
            sink.take(bytes, n);
            return !isFinished(n);
        }
        if (n == -Errno.EAGAIN) {
            return awaitMore();
        }
        if (n < 0) {
            throw new ErrnoException("read", "the output of a run", -n);
        }
        return false;
    }

    /**
     * Returns whether everything was read that the pipe can have held at {@link #finish}: other
     * processes may continue to write forever.
     */
    private boolean isFinished(int read) {
        lock.lock();
        try {
            left -= finishing ? read : 0;
            return left <= 0;
        } finally {
            lock.unlock();
        }
    }

    /** Waits for data; returns false after {@link #finish}. */
    private boolean awaitMore() {
        if (!mayWait()) {
            return false;
        }
        try {
            int _ = Readiness.await(pipe, Readiness.IN);
        } catch (InterruptedException e) {
            // by finish(): what the pipe still holds is read first
        } finally {
            endWait();
        }
        return true;
    }

    private boolean mayWait() {
        lock.lock();
        try {
            waiting = finishing ? null : Thread.currentThread();
            return !finishing;
        } finally {
            lock.unlock();
        }
    }

    private void endWait() {
        lock.lock();
        try {
            waiting = null;
            boolean _ = Thread.interrupted(); // an interrupt was only for the wait
        } finally {
            lock.unlock();
        }
    }

    /** Makes the reader end once it has read what the pipe holds now. */
    void finish() {
        lock.lock();
        try {
            finishing = true;
            if (waiting != null) {
                waiting.interrupt();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Returns whether the caller runs on the thread of this reader. */
    boolean isCaller() {
        return Thread.currentThread() == thread;
    }

    /** Returns the future of what was kept; it fails if the sink has thrown. */
    CompletableFuture<Captured> captured() {
        return captured;
    }
}
