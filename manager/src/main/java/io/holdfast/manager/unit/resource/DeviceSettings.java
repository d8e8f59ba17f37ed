package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;

/**
 * The devices that the processes of a unit may use.
 *
 * @param isImplied whether {@code PrivateDevices=} has set the policy
 * @param rules the newest first, as systemd shows them
 */
public record DeviceSettings(Policy policy, boolean isImplied, List<Rule> rules) {
    /** Every device can be used. */
    public static final DeviceSettings ALL = new DeviceSettings(Policy.AUTO, false, List.of());

    private static final Rule CLOCK = new Rule("char-rtc", "r");

    /** The devices beside those of the rules. */
    public enum Policy {
        /** As {@link #CLOSED} with a rule, and all devices without one. */
        AUTO,
        /** The pseudo devices. */
        CLOSED,
        /** None. */
        STRICT
    }

    /**
     * Allows the use of devices.
     *
     * @param device the path of a device node, or {@code char-} or {@code block-} and the name of a
     *     group of devices, with wildcards
     * @param access letters of {@code rwm}, in that order: read, write, make a node
     */
    public record Rule(String device, String access) {
        private static final List<String> GROUPS = List.of("char-", "block-");
        private static final String FOLDER = "/dev/";

        /**
         * @throws IllegalArgumentException if systemd has no such device or access
         */
        public static Rule of(String device, String access) {
            boolean isPath = device.startsWith(FOLDER) && device.length() > FOLDER.length();
            if (!isPath && GROUPS.stream().noneMatch(device::startsWith)) {
                throw Scalars.bad("a path in /dev, char-GROUP or block-GROUP", device);
            }
            if (!access.matches("[rwm]+")) {
                throw Scalars.bad("letters of rwm", access);
            }
            StringBuilder ordered = new StringBuilder();
            for (char letter : "rwm".toCharArray()) {
                if (access.indexOf(letter) >= 0) {
                    ordered.append(letter);
                }
            }
            return new Rule(device, ordered.toString());
        }
    }

    public DeviceSettings {
        rules = List.copyOf(rules);
    }

    /** Returns whether some devices cannot be used. */
    public boolean isRestricted() {
        return policy != Policy.AUTO || !rules.isEmpty();
    }

    DeviceSettings readPolicy(Assignment a) {
        return new DeviceSettings(a.word(policy, Policy.values(), Policy.AUTO), false, rules);
    }

    /** Reads {@code DEVICE [ACCESS]}; an empty assignment forgets the earlier ones. */
    DeviceSettings readRule(Assignment a) {
        if (a.isEmpty()) {
            return new DeviceSettings(policy, isImplied, List.of());
        }
        return a.value(
                this,
                text -> {
                    WordReader words = new WordReader(text, WordReader.Backslash.LITERAL_NEXT);
                    String device = words.next();
                    String access = words.next();
                    if (device == null || words.next() != null) {
                        throw Scalars.bad("a device and its access", text);
                    }
                    return with(
                            Rule.of(
                                    a.specifiers().expand(device),
                                    access == null ? "rwm" : access));
                });
    }

    private DeviceSettings with(Rule added) {
        List<Rule> all = new ArrayList<>(rules);
        all.addFirst(added);
        return new DeviceSettings(policy, isImplied, all);
    }

    /** Returns what they become by {@code PrivateDevices=} and {@code ProtectClock=}. */
    DeviceSettings impliedBy(boolean privateDevices, boolean protectClock) {
        DeviceSettings closed =
                privateDevices && policy == Policy.AUTO
                        ? new DeviceSettings(Policy.CLOSED, true, rules)
                        : this;
        return protectClock && closed.isRestricted() ? closed.with(CLOCK) : closed;
    }
}
