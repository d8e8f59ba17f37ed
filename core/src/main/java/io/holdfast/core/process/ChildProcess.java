package io.holdfast.core.process;

import io.holdfast.core.Signal;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A child as a {@link Process}, for code that was written for that class: see {@link
 * Child#asProcess}.
 */
final class ChildProcess extends Process {
    private final Child child;
    private final OutputStream stdin;
    private final InputStream stdout;
    private final InputStream stderr;
    private volatile int knownPid; // 0 until it was read

    ChildProcess(Child child) {
        this.child = child;
        this.stdin = orElse(child::stdin, new NoInput());
        this.stdout = orElse(child::stdout, InputStream.nullInputStream());
        this.stderr = orElse(child::stderr, InputStream.nullInputStream());
    }

    private static <S> S orElse(Supplier<S> piped, S other) {
        try {
            return piped.get();
        } catch (IllegalStateException e) {
            return other; // it is not a pipe
        }
    }

    /** The output stream for a process whose standard input is not a pipe: every write fails. */
    private static final class NoInput extends OutputStream {
        @Override
        public void write(int value) throws IOException {
            throw new IOException("the standard input of the process is not a pipe");
        }
    }

    @Override
    public OutputStream getOutputStream() {
        return stdin;
    }

    @Override
    public InputStream getInputStream() {
        return stdout;
    }

    @Override
    public InputStream getErrorStream() {
        return stderr;
    }

    @Override
    public int waitFor() throws InterruptedException {
        return child.await().shellStatus();
    }

    @Override
    public boolean waitFor(long timeout, TimeUnit unit) throws InterruptedException {
        return child.await(Duration.ofNanos(unit.toNanos(timeout))).isPresent();
    }

    @Override
    public int exitValue() {
        return child.exit()
                .orElseThrow(() -> new IllegalThreadStateException(child + " has not exited"))
                .shellStatus();
    }

    @Override
    public boolean isAlive() {
        return child.exit().isEmpty();
    }

    @Override
    public long pid() {
        int pid = knownPid;
        if (pid == 0) {
            pid = child.pid();
            knownPid = pid;
        }
        if (pid == 0) {
            throw new UnsupportedOperationException(
                    child + " was reaped by other code before its PID was read");
        }
        return pid;
    }

    @Override
    public void destroy() {
        end(Signal.TERM);
    }

    @Override
    public Process destroyForcibly() {
        end(Signal.KILL);
        return this;
    }

    /**
     * Sends the signal and closes our ends of the streams, as a process of {@code ProcessBuilder}
     * does.
     */
    private void end(Signal signal) {
        boolean _ = child.signal(signal);
        child.closeStreams();
    }

    @Override
    public boolean supportsNormalTermination() {
        return true;
    }

    @Override
    public CompletableFuture<Process> onExit() {
        return child.onExit().thenApply(_ -> this);
    }

    /**
     * No other process can have its PID before it is reaped; from then on the handle's start time
     * identifies it.
     */
    @Override
    public ProcessHandle toHandle() {
        long pid = pid();
        Optional<ProcessHandle> found = ProcessHandle.of(pid);
        if (child.isReaped()) {
            return new ReapedHandle(child, pid);
        }
        return found.orElseThrow(() ->
                new UnsupportedOperationException(child + " is not in the /proc of this process"));
    }

    @Override
    public String toString() {
        return child.exit().map(exit -> child + " " + exit).orElse(child + " running");
    }
}
