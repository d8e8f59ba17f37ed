package io.holdfast.authority.rules;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A subject given by its facts alone, to try rules without a process. */
public record DescribedSubject(
        int pid,
        long uid,
        String user,
        List<String> groups,
        Optional<String> seat,
        Optional<String> session,
        boolean isLocal,
        boolean isActive,
        Optional<String> systemUnit,
        Optional<Boolean> noNewPrivileges,
        Set<String> netgroups)
        implements RuleSubject {

    public DescribedSubject {
        groups = List.copyOf(groups);
        netgroups = Set.copyOf(netgroups);
    }

    /** Returns a user at the machine, in an active session on its first seat. */
    public static DescribedSubject atSeat(long uid, String user, String... groups) {
        return new DescribedSubject(
                1000,
                uid,
                user,
                List.of(groups),
                Optional.of("seat0"),
                Optional.of("1"),
                true,
                true,
                Optional.of("session-1.scope"),
                Optional.of(false),
                Set.of());
    }

    @Override
    public boolean isInGroup(String group) {
        return groups.contains(group);
    }

    @Override
    public boolean isInNetGroup(String netgroup) {
        return netgroups.contains(netgroup);
    }
}
