package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.Scalars;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The resources of a unit's cgroup.
 *
 * @param values those that its files set, by directive; each is of the class of its {@linkplain
 *     ResourceKind kind}
 * @param defaults of the manager
 * @param withheld the controllers that the units below a slice do not get
 * @param devices that its processes may use
 * @param addresses with which its processes may exchange packets
 */
public record ResourceSettings(
        Map<ResourceDirective, Object> values,
        ResourceDefaults defaults,
        Set<Controller> withheld,
        PressureWatch pressure,
        DeviceSettings devices,
        AddressSettings addresses) {
    /** What systemd lists beside the controllers: BPF programs, and controllers of cgroup v1. */
    private static final Set<String> BPF =
            Set.of(
                    "cpuacct",
                    "blkio",
                    "devices",
                    "bpf-firewall",
                    "bpf-devices",
                    "bpf-foreign",
                    "bpf-socket-bind",
                    "bpf-restrict-network-interfaces");

    /** Nothing is limited or accounted. */
    public static final ResourceSettings NONE =
            new ResourceSettings(
                    Map.of(),
                    new ResourceDefaults(Map.of(), PressureWatch.STANDARD),
                    Set.of(),
                    PressureWatch.STANDARD,
                    DeviceSettings.ALL,
                    AddressSettings.ALL);

    public ResourceSettings {
        values = Map.copyOf(values);
        withheld = Set.copyOf(withheld);
    }

    public boolean isSet(ResourceDirective directive) {
        return values.containsKey(directive);
    }

    /** Returns the value of a directive, which the files, the manager or systemd sets. */
    public Object of(ResourceDirective directive) {
        Object own = values.get(directive);
        return own == null ? defaults.of(directive) : own;
    }

    public Amount amount(ResourceDirective directive) {
        return (Amount) of(directive);
    }

    public long number(ResourceDirective directive) {
        return (Long) of(directive);
    }

    public boolean isOn(ResourceDirective directive) {
        return (Boolean) of(directive);
    }

    /** Returns whether the IP packets of its processes are counted. */
    public boolean countsPackets() {
        return isOn(ResourceDirective.IP_ACCOUNTING);
    }

    /** Returns the controllers that the cgroup needs. */
    public Set<Controller> controllers() {
        Set<Controller> needed = EnumSet.noneOf(Controller.class);
        for (ResourceDirective directive : ResourceDirective.values()) {
            boolean needs =
                    directive.isAccounting()
                            ? isOn(directive)
                            : isSet(directive) && limits(directive);
            if (needs) {
                directive.controller().ifPresent(needed::add);
            }
        }
        if (!amount(ResourceDirective.TASKS_MAX).isInfinite()) {
            needed.add(Controller.PIDS);
        }
        return needed;
    }

    /** Returns whether a directive of the files is more than the default of the kernel. */
    private boolean limits(ResourceDirective directive) {
        return !of(directive).equals(directive.otherwise())
                && !directive.isForStart()
                && directive != ResourceDirective.CPU_QUOTA_PERIOD;
    }

    /** Returns the directives of the files that need a BPF program. */
    public Set<String> needingPrograms() {
        Set<String> needed = new TreeSet<>();
        if (devices.policy() != DeviceSettings.Policy.AUTO && !devices.isImplied()) {
            needed.add("DevicePolicy");
        }
        if (!devices.rules().isEmpty()) {
            needed.add("DeviceAllow");
        }
        if (addresses.isRestricted()) {
            needed.add("IPAddressDeny");
        }
        if (isSet(ResourceDirective.IP_ACCOUNTING) && countsPackets()) {
            needed.add(ResourceDirective.IP_ACCOUNTING.key());
        }
        return needed;
    }

    /**
     * Returns what they become by {@code PrivateDevices=} and {@code ProtectClock=} of the unit.
     */
    public ResourceSettings impliedBy(boolean privateDevices, boolean protectClock) {
        return new ResourceSettings(
                values,
                defaults,
                withheld,
                pressure,
                devices.impliedBy(privateDevices, protectClock),
                addresses);
    }

    /** Returns the directives of the files that need a controller, but for those of accounting. */
    public Set<ResourceDirective> needing(Controller controller) {
        return values.keySet().stream()
                .filter(each -> !each.isAccounting())
                .filter(each -> each.controller().equals(Optional.of(controller)))
                .filter(this::limits)
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(ResourceDirective.class)));
    }

    /** Reads the directives of the section of a unit. */
    public static final class Reader implements SectionReader {
        private final ResourceDefaults defaults;
        private final Map<ResourceDirective, Object> values =
                new EnumMap<>(ResourceDirective.class);
        private Set<Controller> withheld = EnumSet.noneOf(Controller.class);
        private PressureWatch pressure;
        private DeviceSettings devices = DeviceSettings.ALL;
        private AddressSettings addresses = AddressSettings.ALL;

        public Reader(ResourceDefaults defaults) {
            this.defaults = defaults;
            pressure = defaults.pressure();
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "DisableControllers" -> withheld = controllers(a, withheld);
                case "DevicePolicy" -> devices = devices.readPolicy(a);
                case "DeviceAllow" -> devices = devices.readRule(a);
                case "IPAddressAllow" -> addresses = addresses.readAllowed(a);
                case "IPAddressDeny" -> addresses = addresses.readDenied(a);
                case "MemoryPressureWatch" -> pressure = pressure.readMode(a, defaults.pressure());
                case "MemoryPressureThresholdSec" ->
                        pressure = pressure.readThreshold(a, defaults.pressure());
                default -> {
                    Optional<ResourceDirective> directive = ResourceDirective.find(a.key());
                    directive.ifPresent(found -> read(found, a));
                    return directive.isPresent();
                }
            }
            return true;
        }

        private void read(ResourceDirective directive, Assignment a) {
            directive
                    .replacement()
                    .filter(_ -> !a.isEmpty())
                    .ifPresent(newer -> a.remark("an old directive; use " + newer + "= instead"));
            if (directive.isForStart()) {
                a.notActedOn();
            }
            Object value = directive.kind().read(a, values.get(directive));
            if (value == null) {
                values.remove(directive);
            } else {
                values.put(directive, value);
            }
        }

        public ResourceSettings build() {
            return new ResourceSettings(values, defaults, withheld, pressure, devices, addresses);
        }
    }

    /** Reads a list of controllers; an empty assignment empties it. */
    public static Set<Controller> controllers(Assignment a, Set<Controller> before) {
        Set<Controller> all = EnumSet.noneOf(Controller.class);
        if (!a.isEmpty()) {
            all.addAll(before);
            for (String word : a.value().strip().split("\\s+")) {
                try {
                    all.add(Scalars.parseWord(Controller.values(), word));
                } catch (IllegalArgumentException e) {
                    if (!BPF.contains(word)) {
                        a.ignored(String.valueOf(e.getMessage()));
                    }
                }
            }
        }
        return all;
    }
}
