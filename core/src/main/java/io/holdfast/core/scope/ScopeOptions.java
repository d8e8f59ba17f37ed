package io.holdfast.core.scope;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

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
     * Returns the default options: no name, no grace, no deadline, and the best mechanism that is
     * available.
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
        return new ScopeOptions(name, grace, deadline(), cgroupRequired);
    }

    /**
     * Sets the time between SIGTERM and SIGKILL when the scope is closed. Zero, the default, kills
     * at once.
     *
     * @param grace the time, zero or more
     * @return the changed options
     * @throws IllegalArgumentException if the time is negative
     */
    public ScopeOptions withGrace(Duration grace) {
        if (grace.isNegative()) {
            throw new IllegalArgumentException("a negative grace: " + grace);
        }
        return new ScopeOptions(name, grace, deadline(), cgroupRequired);
    }

    /**
     * Limits the lifetime of the scope: after that time it is killed, without grace, and {@link
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
        return new ScopeOptions(name, grace, Optional.of(deadline), cgroupRequired);
    }

    /**
     * Makes opening fail without a cgroup, instead of opening a scope with a weaker guarantee.
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

    /** {@return whether opening fails without a cgroup} */
    public boolean isCgroupRequired() {
        return cgroupRequired;
    }

    @Override
    public String toString() {
        return "ScopeOptions[name=%s, grace=%s, deadline=%s, cgroupRequired=%s]"
                .formatted(name, grace, deadline(), cgroupRequired);
    }
}
