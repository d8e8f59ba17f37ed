package io.holdfast.bus.config;

import io.holdfast.core.process.CgroupPath;
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
     * The processes of a cgroup, found by their pidfds. dbus-daemon(1) has no such policy; services
     * whose users are made up for a run can be named by no other. A process is in the cgroup only
     * if root alone could have given the cgroup its name ({@link
     * io.holdfast.core.process.CgroupPlace}): whoever owns a slice makes cgroups in it with any
     * name.
     *
     * @param path from the root, as {@code /holdfast.slice/polkit.service}; cgroups below it count
     */
    public record ForCgroup(CgroupPath path) implements Scope {}

    /**
     * @param at who sits at the console, or who does not
     */
    public record ForConsole(boolean at) implements Scope {}

    public PolicyBlock {
        rules = List.copyOf(rules);
    }
}
