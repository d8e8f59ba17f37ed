package io.holdfast.interop.stack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A running program, and everything that it writes. It ends with this object. */
public final class RunningProgram implements AutoCloseable {
    public static final Duration TIMEOUT = Duration.ofSeconds(100);

    private final Child child;
    private final Thread reader;
    private boolean closed;

    @GuardedBy("this")
    private final StringBuilder written = new StringBuilder();

    @GuardedBy("this")
    private boolean ended;

    @GuardedBy("this")
    private int awaited;

    public RunningProgram(Child child) {
        this.child = child;
        reader = Thread.ofPlatform().daemon().start(this::read);
    }

    private void read() {
        InputStream out = child.stdout();
        byte[] bytes = new byte[8192];
        try {
            for (int n = out.read(bytes); n >= 0; n = out.read(bytes)) {
                synchronized (this) {
                    written.append(new String(bytes, 0, n, UTF_8));
                    notifyAll();
                }
            }
        } catch (IOException e) {
            // the terminal is gone, or this object was closed
        } finally {
            synchronized (this) {
                ended = true;
                notifyAll();
            }
        }
    }

    /** Returns the process, held by its parent, this process. */
    public PidFd process() {
        return child.pidFd();
    }

    /** Returns everything that it has written so far. */
    public synchronized String written() {
        return written.toString();
    }

    /** Waits for a text after the one that was waited for last. */
    public synchronized void await(String text) throws InterruptedException {
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        int at = written.indexOf(text, awaited);
        while (at < 0) {
            long left = deadline - System.nanoTime();
            if (left <= 0 || ended) {
                throw new AssertionError(
                        "not written: " + text + " behind " + awaited + " of\n" + written);
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
            at = written.indexOf(text, awaited);
        }
        awaited = at + text.length();
    }

    /** Writes to its standard input. */
    void type(String text) throws IOException {
        child.stdin().write(text.getBytes(UTF_8));
        child.stdin().flush();
    }

    public void signal(Signal signal) {
        assertThat(child.signal(signal)).isTrue();
    }

    /** Waits until it exits, without a signal, and everything that it wrote has arrived. */
    public Exit end() throws InterruptedException {
        return end(TIMEOUT);
    }

    /** As {@link #end()}, within a limit. */
    public Exit end(Duration limit) throws InterruptedException {
        Exit exit =
                child.pidFd()
                        .await(limit)
                        .orElseThrow(() -> new AssertionError("it does not end:\n" + written()));
        reader.join(TIMEOUT);
        return exit;
    }

    /** As {@link #end}, but it must succeed; returns what it wrote. */
    String output() throws InterruptedException {
        assertThat(end()).as(this::written).isEqualTo(new Exit.Exited(0));
        return written().strip();
    }

    /** Terminates it before it is closed, so that the processes that it has started notice. */
    void closeGently() {
        try {
            if (!closed && child.signal(Signal.TERM)) {
                var _ = child.pidFd().await(TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.onExit().join();
            child.close();
        }
    }
}
