package io.holdfast.core.scope;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * How a {@link ProcessScope} is to be.
 *
 * <pre>{@code
 * ScopeOptions options = ScopeOptions.standard()
 *         .withName("build of master")
 *         .withGrace(Duration.ofSeconds(5))
 *         .withDeadline(Duration.ofMinutes(20));
 * try (ProcessScope scope = ProcessScope.open(options)) { … }
 * }</pre>
 *
 * <p>Immutable: each {@code with…} returns another one.
 */
public final class ScopeOptions {
    private static final ScopeOptions STANDARD =
            new ScopeOptions("", Duration.ZERO, Optional.empty(), false);

    private final String name;
    private final Duration grace;
    private final Duration deadline; // zero: none
    private final boolean cgroupRequired;

    private ScopeOptions(
            String name, Duration grace, Optional<Duration> deadline, boolean cgroupRequired) {
        this.name = name;
        this.grace = grace;
        this.deadline = deadline.orElse(Duration.ZERO);
        this.cgroupRequired = cgroupRequired;
    }

    /**
     * No name, no grace, no deadline, and the best means that the place has.
     *
     * @return the options
     */
    public static ScopeOptions standard() {
        return STANDARD;
    }

    /**
     * A name for people: it is part of the name of the cgroup, escaped and cut.
     *
     * @param name any text
     * @return the changed options
     */
    public ScopeOptions withName(String name) {
        Objects.requireNonNull(name, "name");
        return new ScopeOptions(name, grace, deadline(), cgroupRequired);
    }

    /**
     * How long the processes may take to end after SIGTERM when the scope is closed; those that are
     * left are killed. Zero, the default, kills at once.
     *
     * @param grace the time, zero or more
     * @return the changed options
     * @throws IllegalArgumentException if it is negative
     */
    public ScopeOptions withGrace(Duration grace) {
        if (grace.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + grace);
        }
        return new ScopeOptions(name, grace, deadline(), cgroupRequired);
    }

    /**
     * How long the scope may last from its opening on: then it is killed, without grace, and {@link
     * ProcessScope#isOverdue} is true.
     *
     * @param deadline how long the scope may last
     * @return the changed options
     * @throws IllegalArgumentException if it is not positive
     */
    public ScopeOptions withDeadline(Duration deadline) {
        if (!deadline.isPositive()) {
            throw new IllegalArgumentException("a deadline that is not positive: " + deadline);
        }
        return new ScopeOptions(name, grace, Optional.of(deadline), cgroupRequired);
    }

    /**
     * Refuses a place without cgroups, instead of opening a scope that promises less.
     *
     * @return the changed options
     */
    public ScopeOptions requireCgroup() {
        return new ScopeOptions(name, grace, deadline(), true);
    }

    /** {@return the name for people; empty by default} */
    public String name() {
        return name;
    }

    /** {@return the time between SIGTERM and SIGKILL when the scope is closed} */
    public Duration grace() {
        return grace;
    }

    /** {@return the time after which the scope is killed} */
    public Optional<Duration> deadline() {
        return deadline.isZero() ? Optional.empty() : Optional.of(deadline);
    }

    /** {@return whether a place without cgroups is refused} */
    public boolean isCgroupRequired() {
        return cgroupRequired;
    }

    @Override
    public String toString() {
        return "ScopeOptions[name=%s, grace=%s, deadline=%s, cgroupRequired=%s]"
                .formatted(name, grace, deadline(), cgroupRequired);
    }
}
