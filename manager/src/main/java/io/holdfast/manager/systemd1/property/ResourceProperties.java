package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.resource.MachineResources;
import io.holdfast.manager.resource.PacketCounts;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.format.Quoting;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.resource.AddressRange;
import io.holdfast.manager.unit.resource.Amount;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.DeviceSettings;
import io.holdfast.manager.unit.resource.DeviceValue;
import io.holdfast.manager.unit.resource.NumberSet;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.resource.ResourceKind;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.function.ToLongFunction;

/**
 * The properties of a cgroup's limits, one for each row of {@link ResourceDirective}, and of what
 * it uses.
 */
final class ResourceProperties {
    private static final long UNSET = ResourceKind.UNSET; // UINT64_MAX
    private static final long SCALE = 0xFFFF_FFFFL; // the whole, as a scaled property has it
    private static final long MICROS_PER_SHARE = 100;
    private static final int IPV4_BYTES = 4;
    private static final int AF_INET = 2;
    private static final int AF_INET6 = 10;

    private ResourceProperties() {}

    static <T> void addTo(
            PropertyTable<T> table,
            Function<T, Subject> of,
            Function<T, ResourceSettings> resources) {
        for (ResourceDirective each : ResourceDirective.values()) {
            Function<T, Object> value = resources.andThen(all -> shown(each, all));
            SettableProperty setting = setting(each).asLive();
            if (each.isForStart()) {
                table.fixed(each.property(), setting.type(), value);
                continue;
            }
            table.settable(each.property(), setting, value);
            if (isShare(each)) {
                table.settable(each.property() + "Scale", share(each).asLive());
            }
        }
        table.settable(
                        "DisableControllers",
                        controllers("DisableControllers").asLive(),
                        resources.andThen(all -> words(all.withheld())))
                .settable(
                        "DevicePolicy",
                        SettableProperty.word("DevicePolicy", DeviceSettings.Policy.values())
                                .asLive(),
                        resources.andThen(all -> UnitProperties.word(all.devices().policy())))
                .settable(
                        "DeviceAllow",
                        rules("DeviceAllow").asLive(),
                        resources.andThen(all -> rules(all.devices().rules())))
                .settable(
                        "IPAddressAllow",
                        addresses("IPAddressAllow").asLive(),
                        resources.andThen(all -> addresses(all.addresses().allowed())))
                .settable(
                        "IPAddressDeny",
                        addresses("IPAddressDeny").asLive(),
                        resources.andThen(all -> addresses(all.addresses().denied())))
                .settable(
                        "MemoryPressureWatch",
                        SettableProperty.text("MemoryPressureWatch"),
                        resources.andThen(all -> UnitProperties.word(all.pressure().mode())))
                .settable(
                        "MemoryPressureThresholdUSec",
                        SettableProperty.time("MemoryPressureThresholdSec"),
                        resources.andThen(all -> Micros.of(all.pressure().threshold())));
        usage(table, of, resources);
    }

    // ---- what the cgroup uses

    private static <T> void usage(
            PropertyTable<T> table,
            Function<T, Subject> of,
            Function<T, ResourceSettings> resources) {
        ResourceDirective cpu = ResourceDirective.CPU_ACCOUNTING;
        ResourceDirective memory = ResourceDirective.MEMORY_ACCOUNTING;
        ResourceDirective io = ResourceDirective.IO_ACCOUNTING;
        ResourceDirective tasks = ResourceDirective.TASKS_ACCOUNTING;
        add(table, of, resources, "CPUUsageNSec", cpu, ResourceUsage::cpuNanos);
        add(table, of, resources, "MemoryCurrent", memory, ResourceUsage::memory);
        add(table, of, resources, "MemoryPeak", memory, ResourceUsage::memoryPeak);
        add(table, of, resources, "MemorySwapCurrent", memory, ResourceUsage::swap);
        add(table, of, resources, "MemorySwapPeak", memory, ResourceUsage::swapPeak);
        add(table, of, resources, "MemoryZSwapCurrent", memory, ResourceUsage::zswap);
        add(table, of, resources, "TasksCurrent", tasks, ResourceUsage::tasks);
        add(table, of, resources, "IOReadBytes", io, ResourceUsage::readBytes);
        add(table, of, resources, "IOReadOperations", io, ResourceUsage::reads);
        add(table, of, resources, "IOWriteBytes", io, ResourceUsage::writtenBytes);
        add(table, of, resources, "IOWriteOperations", io, ResourceUsage::writes);
        packets(table, of, resources, "IPIngressBytes", PacketCounts::receivedBytes);
        packets(table, of, resources, "IPIngressPackets", PacketCounts::receivedPackets);
        packets(table, of, resources, "IPEgressBytes", PacketCounts::sentBytes);
        packets(table, of, resources, "IPEgressPackets", PacketCounts::sentPackets);
    }

    private static <T> void packets(
            PropertyTable<T> table,
            Function<T, Subject> of,
            Function<T, ResourceSettings> resources,
            String name,
            ToLongFunction<PacketCounts> item) {
        ResourceDirective accounting = ResourceDirective.IP_ACCOUNTING;
        add(table, of, resources, name, accounting, usage -> item.applyAsLong(usage.packets()));
    }

    private static <T> void add(
            PropertyTable<T> table,
            Function<T, Subject> of,
            Function<T, ResourceSettings> resources,
            String name,
            ResourceDirective accounting,
            ToLongFunction<ResourceUsage> item) {
        table.unsignalled(
                name,
                "t",
                unit -> {
                    Subject subject = of.apply(unit);
                    return resources.apply(unit).isOn(accounting)
                            ? item.applyAsLong(
                                    subject.manager().usage(subject.view().unit().name()))
                            : UNSET;
                });
    }

    // ---- the value of a setting

    private static Object shown(ResourceDirective directive, ResourceSettings settings) {
        Object value = settings.of(directive);
        return switch (directive.kind()) {
            case PERIOD -> (Long) value == Long.MAX_VALUE ? UNSET : value;
            case NUMBERS -> ((NumberSet) value).bits();
            case PROTECTION, MEMORY, SWAP -> MachineResources.memory((Amount) value);
            case TASKS -> MachineResources.tasks((Amount) value);
            case DEVICE_WEIGHTS, DEVICE_BLOCK_WEIGHTS, DEVICE_RATES, DEVICE_TIMES ->
                    devices((List<?>) value);
            default -> value;
        };
    }

    private static List<Struct> devices(List<?> values) {
        return values.stream()
                .map(DeviceValue.class::cast)
                .filter(each -> each.value() != UNSET)
                .map(each -> Struct.of(each.path(), each.value()))
                .toList();
    }

    private static List<Struct> rules(List<DeviceSettings.Rule> rules) {
        return rules.stream().map(each -> Struct.of(each.device(), each.access())).toList();
    }

    private static List<Struct> addresses(List<AddressRange> ranges) {
        return ranges.stream()
                .map(each -> {
                    byte[] bytes = each.bytes();
                    int family = bytes.length == IPV4_BYTES ? AF_INET : AF_INET6;
                    return Struct.of(family, bytes, (long) each.prefix());
                })
                .toList();
    }

    static List<String> words(Collection<Controller> controllers) {
        return controllers.stream().sorted().map(Controller::toString).toList();
    }

    // ---- how a setting is set

    private static SettableProperty setting(ResourceDirective directive) {
        String key = directive.key();
        return switch (directive.kind()) {
            case SWITCH -> SettableProperty.bool(key);
            case WEIGHT -> weight(key, value -> value >= 1 && value <= 10_000);
            case CPU_WEIGHT -> weight(key, value -> value >= 0 && value <= 10_000);
            case SHARES -> weight(key, value -> value >= 2 && value <= 262_144);
            case BLOCK_WEIGHT -> weight(key, value -> value >= 10 && value <= 1000);
            case QUOTA -> number(key, value -> value != 0, ResourceProperties::quota);
            case PERIOD -> SettableProperty.time(key);
            case NUMBERS -> numbers(key);
            case PROTECTION, SWAP -> number(key, _ -> true, ResourceProperties::amount);
            case MEMORY, TASKS -> number(key, value -> value != 0, ResourceProperties::amount);
            case DEVICE_WEIGHTS, DEVICE_BLOCK_WEIGHTS, DEVICE_RATES ->
                    devices(key, ResourceProperties::amount);
            case DEVICE_TIMES -> devices(key, value -> new TimeSpan(value).toString());
        };
    }

    private static SettableProperty weight(String key, LongPredicate valid) {
        return number(
                key,
                value -> value == UNSET || valid.test(value),
                value -> value == UNSET ? "" : value == 0 ? "idle" : Long.toString(value));
    }

    private static SettableProperty number(String key, LongPredicate valid, Text text) {
        return new SettableProperty(
                "t",
                (unit, section, value) -> {
                    if (!valid.test((Long) value)) {
                        throw SettableProperty.invalid(key, Long.toUnsignedString((Long) value));
                    }
                    unit.line(section, key, text.of((Long) value));
                });
    }

    private interface Text {
        String of(long value);
    }

    private static String amount(long value) {
        return value == UNSET ? "infinity" : Long.toUnsignedString(value);
    }

    private static String quota(long micros) {
        return micros == UNSET ? "" : percent(Math.ceilDiv(micros, MICROS_PER_SHARE));
    }

    private static String percent(long share) {
        return "%d.%02d%%".formatted(share / 100, share % 100);
    }

    private static boolean isShare(ResourceDirective directive) {
        return switch (directive.kind()) {
            case PROTECTION, MEMORY, SWAP, TASKS -> true;
            default -> false;
        };
    }

    private static SettableProperty share(ResourceDirective directive) {
        return new SettableProperty(
                "u",
                (unit, section, value) -> {
                    long share = ((Long) value * Amount.WHOLE + SCALE / 2) / SCALE;
                    if (share == 0 && directive.kind() == ResourceKind.TASKS) {
                        throw SettableProperty.invalid(directive.key(), value);
                    }
                    unit.line(section, directive.key(), percent(share));
                });
    }

    private static SettableProperty numbers(String key) {
        return new SettableProperty(
                "ay",
                (unit, section, value) -> {
                    String text;
                    try {
                        text = NumberSet.ofBits((byte[]) value).toString();
                    } catch (IllegalArgumentException e) {
                        throw SettableProperty.invalid(key, String.valueOf(e.getMessage()));
                    }
                    unit.line(section, key, "");
                    if (!text.isEmpty()) {
                        unit.line(section, key, text);
                    }
                });
    }

    private static SettableProperty devices(String key, Text text) {
        return new SettableProperty(
                "a(st)",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, key, value);
                    for (Object each : (List<?>) value) {
                        String path = (String) ((Struct) each).get(0);
                        if (!path.startsWith("/")) {
                            throw SettableProperty.invalid(key, path);
                        }
                        String number = text.of((Long) ((Struct) each).get(1));
                        unit.literal(section, key, Quoting.LITERAL.quote(path) + " " + number);
                    }
                });
    }

    private static SettableProperty rules(String key) {
        return new SettableProperty(
                "a(ss)",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, key, value);
                    for (Object each : (List<?>) value) {
                        String device = (String) ((Struct) each).get(0);
                        String access = (String) ((Struct) each).get(1);
                        try {
                            DeviceSettings.Rule rule = DeviceSettings.Rule.of(device, access);
                            String quoted = Quoting.LITERAL.quote(device);
                            unit.literal(section, key, quoted + " " + rule.access());
                        } catch (IllegalArgumentException e) {
                            throw SettableProperty.invalid(key, String.valueOf(e.getMessage()));
                        }
                    }
                });
    }

    private static SettableProperty addresses(String key) {
        return new SettableProperty(
                "a(iayu)",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, key, value);
                    for (Object each : (List<?>) value) {
                        byte[] address = (byte[]) ((Struct) each).get(1);
                        long prefix = (Long) ((Struct) each).get(2);
                        try {
                            AddressRange range = AddressRange.of(address, Math.toIntExact(prefix));
                            unit.line(section, key, range.toString());
                        } catch (IllegalArgumentException | ArithmeticException e) {
                            throw SettableProperty.invalid(key, String.valueOf(e.getMessage()));
                        }
                    }
                });
    }

    /** Makes a property with the names of controllers. */
    static SettableProperty controllers(String key) {
        return new SettableProperty(
                "as",
                (unit, section, value) -> {
                    SettableProperty.reset(unit, section, key, value);
                    if (!((List<?>) value).isEmpty()) {
                        StringBuilder names = new StringBuilder();
                        for (Object name : (List<?>) value) {
                            names.append(names.isEmpty() ? "" : " ").append((String) name);
                        }
                        unit.literal(section, key, names.toString());
                    }
                });
    }
}
