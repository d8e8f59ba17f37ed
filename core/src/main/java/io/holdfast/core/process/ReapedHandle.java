package io.holdfast.core.process;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The {@link ProcessHandle} of a child that is reaped. The JDK finds a handle by PID, and a later
 * process may have the PID of this child.
 */
final class ReapedHandle implements ProcessHandle {
    private final Child child;
    private final long pid;

    ReapedHandle(Child child, long pid) {
        this.child = child;
        this.pid = pid;
    }

    @Override
    public long pid() {
        return pid;
    }

    @Override
    public Optional<ProcessHandle> parent() {
        return Optional.empty();
    }

    @Override
    public Stream<ProcessHandle> children() {
        return Stream.empty();
    }

    @Override
    public Stream<ProcessHandle> descendants() {
        return Stream.empty();
    }

    @Override
    public Info info() {
        return new NoInfo();
    }

    @Override
    public CompletableFuture<ProcessHandle> onExit() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public boolean supportsNormalTermination() {
        return true;
    }

    @Override
    public boolean destroy() {
        return false;
    }

    @Override
    public boolean destroyForcibly() {
        return false;
    }

    @Override
    public boolean isAlive() {
        return false;
    }

    /** Throws ClassCastException for a handle of the JDK, which cannot be compared with this. */
    @Override
    public int compareTo(ProcessHandle other) {
        return Long.compare(pid, ((ReapedHandle) other).pid);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ReapedHandle that && child.equals(that.child);
    }

    @Override
    public int hashCode() {
        return child.hashCode();
    }

    @Override
    public String toString() {
        return Long.toString(pid);
    }

    /** What the kernel still knows about the process: nothing. */
    private record NoInfo() implements Info {
        @Override
        public Optional<String> command() {
            return Optional.empty();
        }

        @Override
        public Optional<String> commandLine() {
            return Optional.empty();
        }

        @Override
        public Optional<String[]> arguments() {
            return Optional.empty();
        }

        @Override
        public Optional<Instant> startInstant() {
            return Optional.empty();
        }

        @Override
        public Optional<Duration> totalCpuDuration() {
            return Optional.empty();
        }

        @Override
        public Optional<String> user() {
            return Optional.empty();
        }
    }
}
