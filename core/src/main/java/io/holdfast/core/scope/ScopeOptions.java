package io.holdfast.core.scope;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.core.limit.CoreLimits;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The options of a {@link ProcessScope}.
 *
 * <pre>{@code
 * ScopeOptions options = ScopeOptions.standard()
 *         .withName("build of master")
 *         .withGrace(Duration.ofSeconds(5))
 *         .withDeadline(Duration.ofMinutes(20));
 * try (ProcessScope scope = ProcessScope.open(options)) { … }
 * }</pre>
 *
 * <p>Immutable: each {@code with…} returns a changed copy.
 */
@CheckReturnValue
public final class ScopeOptions implements Cloneable {
    private static final ScopeOptions STANDARD = new ScopeOptions();

    // Changed only by with(), before anybody else sees the object.
    private String name = "";
    private Duration grace = Duration.ZERO;
    private @Nullable Duration deadline;
    private boolean cgroupRequired;
    private boolean keptAtShutdown;
    private Map<String, String> limits = Map.of();

    private ScopeOptions() {}

    /**
     * Returns the default options: no name, no grace, no deadline, the best mechanism that is
     * available, and an end when the JVM shuts down.
     *
     * @return the options
     */
    public static ScopeOptions standard() {
        return STANDARD;
    }

    /**
     * Sets a name for people: it is part of the name of the cgroup, escaped and truncated.
     *
     * @param name any text
     * @return the changed options
     */
    public ScopeOptions withName(String name) {
        Objects.requireNonNull(name, "name");
        return with(options -> options.name = name);
    }

    /**
     * Sets the time between SIGTERM and SIGKILL when the scope is closed, and when its deadline
     * passes. Zero, the default, kills at once.
     *
     * @param grace the time, zero or more
     * @return the changed options
     * @throws IllegalArgumentException if the time is negative
     */
    public ScopeOptions withGrace(Duration grace) {
        if (grace.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + grace);
        }
        return with(options -> options.grace = grace);
    }

    /**
     * Limits the lifetime of the scope: after that time it starts nothing any more, its processes
     * are ended with the {@linkplain #withGrace grace} of the scope, and {@link
     * ProcessScope#isOverdue} is true.
     *
     * @param deadline the time from the opening of the scope on, positive
     * @return the changed options
     * @throws IllegalArgumentException if the time is not positive
     */
    public ScopeOptions withDeadline(Duration deadline) {
        if (!deadline.isPositive()) {
            throw new IllegalArgumentException("a deadline that is not positive: " + deadline);
        }
        return with(options -> options.deadline = deadline);
    }

    /**
     * Makes opening fail without a cgroup, instead of opening a scope with a weaker guarantee.
     *
     * @return the changed options
     */
    public ScopeOptions requireCgroup() {
        return with(options -> options.cgroupRequired = true);
    }

    /**
     * Limits the memory of all processes of the scope together ({@code memory.max}): beyond it, the
     * kernel kills one of them. A scope with a limit has a cgroup, or opening fails: see {@link
     * ProcessScope#open(ScopeOptions)}.
     *
     * @param bytes the limit, positive; the kernel rounds it down to whole pages
     * @return the changed options
     * @throws IllegalArgumentException if the limit is not positive
     */
    public ScopeOptions withMemoryMax(long bytes) {
        return withLimit("memory.max", bytes, Long.MAX_VALUE);
    }

    /**
     * Limits the number of threads of all processes of the scope together ({@code pids.max}):
     * beyond it, fork(2) and the start of a thread fail with EAGAIN. Otherwise as {@link
     * #withMemoryMax}.
     *
     * @param tasks the limit, positive
     * @return the changed options
     * @throws IllegalArgumentException if the limit is not positive
     */
    public ScopeOptions withPidsMax(int tasks) {
        return withLimit("pids.max", tasks, Integer.MAX_VALUE);
    }

    /**
     * Sets the share of CPU time that the scope gets beside its siblings while they compete for it
     * ({@code cpu.weight}). Otherwise as {@link #withMemoryMax}.
     *
     * @param weight the weight, 1 to 10000; the kernel's default is 100
     * @return the changed options
     * @throws IllegalArgumentException if the weight is out of range
     */
    public ScopeOptions withCpuWeight(int weight) {
        return withLimit("cpu.weight", weight, 10_000);
    }

    private ScopeOptions withLimit(String attribute, long value, long max) {
        if (value < 1 || value > max) {
            throw new IllegalArgumentException(
                    attribute + "=" + value + " is not from 1 to " + max);
        }
        Map<String, String> changed = new TreeMap<>(limits);
        changed.put(attribute, Long.toString(value));
        return with(options -> options.limits = Collections.unmodifiableMap(changed));
    }

    /**
     * Lets the processes continue to run when this JVM shuts down while the scope is open. Without
     * this, they end then, with the {@linkplain #withGrace grace} of the scope, cut by {@link
     * CoreLimits#SCOPE_SHUTDOWN_TIMEOUT}. {@link ProcessScope#leftovers} does not find a scope with
     * this option: its processes are meant to continue.
     *
     * @return the changed options
     */
    public ScopeOptions keepAtShutdown() {
        return with(options -> options.keptAtShutdown = true);
    }

    private ScopeOptions with(Consumer<ScopeOptions> change) {
        try {
            ScopeOptions copy = (ScopeOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }

    /** {@return the name for people; empty by default} */
    public String name() {
        return name;
    }

    /** {@return the time between SIGTERM and SIGKILL, at the close and after the deadline} */
    public Duration grace() {
        return grace;
    }

    /** {@return the time after which the scope is ended} */
    public Optional<Duration> deadline() {
        return Optional.ofNullable(deadline);
    }

    /** {@return whether opening fails without a cgroup: it is required, or has a limit} */
    public boolean isCgroupRequired() {
        return cgroupRequired || !limits.isEmpty();
    }

    /** Returns the limits: attributes of the cgroup, and their values. */
    Map<String, String> limits() {
        return limits;
    }

    /** {@return whether the processes continue to run when this JVM shuts down} */
    public boolean isKeptAtShutdown() {
        return keptAtShutdown;
    }

    @Override
    public String toString() {
        return "ScopeOptions[name=%s, grace=%s, deadline=%s, cgroupRequired=%s, keptAtShutdown=%s, limits=%s]"
                .formatted(name, grace, deadline(), cgroupRequired, keptAtShutdown, limits);
    }
}
