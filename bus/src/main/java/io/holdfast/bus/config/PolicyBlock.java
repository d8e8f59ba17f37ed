package io.holdfast.bus.config;

import java.util.List;

/** One {@code <policy>}: for whom its rules are. */
public record PolicyBlock(Scope scope, List<PolicyRule> rules, Place place) {
    /** Whom a policy is for. */
    public sealed interface Scope {}

    /** Everybody, before all others. */
    public record Default() implements Scope {}

    /** Everybody, after all others. */
    public record Mandatory() implements Scope {}

    /**
     * @param user a name or number
     */
    public record ForUser(String user) implements Scope {}

    /**
     * @param group a name or number
     */
    public record ForGroup(String group) implements Scope {}

    /**
     * Whoever was in a cgroup when it connected, found by its pidfd: what dbus-daemon(1) has no
     * word for, and the one that holds for services whose user is made up for a run.
     *
     * @param path from the root, as {@code /holdfast.slice/polkit.service}; those below it count
     */
    public record ForCgroup(String path) implements Scope {}

    /**
     * @param at who sits at the console, or who does not
     */
    public record ForConsole(boolean at) implements Scope {}

    public PolicyBlock {
        rules = List.copyOf(rules);
    }
}
