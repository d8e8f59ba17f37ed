package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.ManagerScope.Account;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.Scalars;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The conditions about the user, groups and capabilities of the manager. Names of groups are looked
 * up in {@code /etc/group} only: as in systemd's PID 1, no name service is queried.
 */
final class AccountConditions {
    private static final long LAST_SYSTEM_ID = 999;

    private AccountConditions() {}

    static boolean isUser(String parameter, MachineFacts machine) {
        Account account = machine.account();
        return parameter.equals(account.name())
                || parameter.equals(String.valueOf(account.uid()))
                || (parameter.equals("@system") && account.uid() <= LAST_SYSTEM_ID);
    }

    static boolean isInGroup(String parameter, MachineFacts machine) {
        if (parameter.equals(machine.account().group())) {
            return true;
        }
        Set<String> ids = groups(machine);
        if (parameter.matches("[0-9]+")) {
            return ids.contains(parameter);
        }
        return machine.text("/etc/group")
                .lines()
                .map(line -> line.split(":", -1))
                .anyMatch(entry ->
                        entry.length > 2 && entry[0].equals(parameter) && ids.contains(entry[2]));
    }

    /** Returns the ids of the manager's own groups, real, effective and supplementary. */
    private static Set<String> groups(MachineFacts machine) {
        return Stream.of(machine.status("Gid"), machine.status("Groups"))
                .flatMap(ids -> Arrays.stream(ids.split("\\s+")))
                .collect(Collectors.toSet());
    }

    /** Returns whether the capability is in the manager's bounding set. */
    static boolean hasCapability(String parameter, MachineFacts machine) {
        Capability capability = Capability.parse(parameter);
        String bounding = machine.status("CapBnd");
        if (bounding.isEmpty()) {
            throw Scalars.bad("a set of capabilities", bounding);
        }
        return ((Long.parseUnsignedLong(bounding, 16) >>> capability.number()) & 1) == 1;
    }
}
