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
 * Reads a pipe of a run into a sink, on a virtual thread, until its end: or, once it is told to
 * finish, until it is empty, since somebody outside of the run may have its other end.
 */
final class PipeReader {
    private static final int SMALL = 8 << 10; // what most programs write in all
    private static final int LARGE = 128 << 10; // more than a pipe holds
    private static final long MOST_THERE = 1 << 20; // what a program may make it hold

    private final Fd pipe;
    private final Sink sink;
    private final CompletableFuture<Captured> captured = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Thread thread;
    private @Nullable Thread waiting; // for the pipe, so that an interrupt reaches no other code
    private boolean finishing;
    private long left = MOST_THERE; // to read once it is to finish

    private PipeReader(Fd pipe, Sink sink, Consumer<Throwable> failed) {
        this.pipe = pipe;
        this.sink = sink;
        this.thread = Thread.ofVirtual().name("holdfast-run-output").unstarted(() -> run(failed));
    }

    /**
     * Begins to read.
     *
     * @param pipe non-blocking, taken over
     * @param failed is called if the sink throws; its result fails with that, too
     */
    static PipeReader start(Fd pipe, Sink sink, Consumer<Throwable> failed) {
        PipeReader reader = new PipeReader(pipe, sink, failed);
        reader.thread.start();
        return reader;
    }

    private void run(Consumer<Throwable> failed) {
        try (pipe) {
            copy();
            captured.complete(sink.end());
        } catch (Throwable e) { // of code of the user's, among others
            pipe.close(); // before the programs are waited for: they may wait to write
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

    /** Takes what a read has given; false if there is nothing more to come. */
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
     * Whether all was read that can have been there when this was to finish: others may go on
     * writing for ever.
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

    /** Waits for something to read; false if nothing is waited for any more. */
    private boolean awaitMore() {
        if (!mayWait()) {
            return false;
        }
        try {
            int _ = Readiness.await(pipe, Readiness.IN);
        } catch (InterruptedException e) {
            // to finish: what is there is read first
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
            boolean _ = Thread.interrupted(); // which was for the wait alone
        } finally {
            lock.unlock();
        }
    }

    /** Reads what is there, and no more. */
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

    /** Whether the calling code is called by this. */
    boolean isCaller() {
        return Thread.currentThread() == thread;
    }

    /** What was kept; fails if the sink has thrown. */
    CompletableFuture<Captured> captured() {
        return captured;
    }
}
