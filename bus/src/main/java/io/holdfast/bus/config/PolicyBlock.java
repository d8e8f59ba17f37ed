package io.holdfast.bus.config;

import io.holdfast.core.process.CgroupPath;
import java.util.List;

/** One {@code <policy>} element: its rules, and the clients that they apply to. */
public record PolicyBlock(Scope scope, List<PolicyRule> rules, ConfigPlace place) {
    /** The clients that a policy applies to. */
    public sealed interface Scope {}

    /** All clients, before every other policy. */
    public record Default() implements Scope {}

    /** All clients, after every other policy. */
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
     * The processes of a cgroup, identified by their pidfds. dbus-daemon(1) has no such policy, and
     * no other policy can name a service whose user is allocated for one run. A process counts as
     * in the cgroup only if root alone could have given the cgroup its name ({@link
     * io.holdfast.core.process.CgroupPlace}): the owner of a slice can make cgroups in it with any
     * name.
     *
     * @param path from the root, as {@code /holdfast.slice/polkit.service}; cgroups below it count
     */
    public record ForCgroup(CgroupPath path) implements Scope {}

    /**
     * @param at true for users at the console, false for all others
     */
    public record ForConsole(boolean at) implements Scope {}

    public PolicyBlock {
        rules = List.copyOf(rules);
    }
}
