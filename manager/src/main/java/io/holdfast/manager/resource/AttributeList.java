package io.holdfast.manager.resource;

import static io.holdfast.manager.unit.resource.ResourceDirective.*;

import io.holdfast.manager.unit.resource.Amount;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.DeviceValue;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.resource.ResourceKind;
import io.holdfast.manager.unit.resource.ResourceSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of the files of a unit's cgroup, in the order in which they are written, after the
 * kernel's document of cgroup v2.
 */
final class AttributeList {
    private static final long DEFAULT_WEIGHT = 100;
    private static final long DEFAULT_SHARES = 1024;
    private static final long DEFAULT_BLOCK_WEIGHT = 500;
    private static final long MOST_WEIGHT = 10_000;
    private static final long SECOND = 1_000_000;
    private static final long MILLISECOND = 1000;
    private static final long DEFAULT_PERIOD = 100 * MILLISECOND;
    private static final String MAX = "max";

    private final ResourceSettings settings;
    private final List<ResourceSettings> slices;
    private final DeviceNumbers devices;
    private final List<Attribute> list = new ArrayList<>();

    private AttributeList(
            ResourceSettings settings, List<ResourceSettings> slices, DeviceNumbers devices) {
        this.settings = settings;
        this.slices = slices;
        this.devices = devices;
    }

    /** Finds the device on which a path is, as {@code MAJOR:MINOR}. */
    interface DeviceNumbers {
        /** Returns the numbers; empty, after a report, if there is no such device. */
        Optional<String> of(ResourceDirective directive, String path);
    }

    /**
     * Returns the values.
     *
     * @param slices those above the unit, the nearest one first
     * @param before the settings that were applied before, whose devices are reset
     */
    static List<Attribute> of(
            ResourceSettings settings,
            List<ResourceSettings> slices,
            Optional<ResourceSettings> before,
            DeviceNumbers devices) {
        AttributeList all = new AttributeList(settings, slices, devices);
        all.cpu();
        all.cpuset();
        all.memory();
        all.io(before);
        all.add(
                "pids.max",
                max(MachineResources.tasks(settings.amount(TASKS_MAX))),
                MAX,
                TASKS_MAX);
        return List.copyOf(all.list);
    }

    private void add(String file, String value, String usual, ResourceDirective directive) {
        list.add(
                new Attribute(
                        directive.controller().orElseThrow(),
                        file,
                        value,
                        value.equals(usual),
                        Optional.of(directive).filter(settings::isSet)));
    }

    private static String max(long value) {
        return value == ResourceKind.UNSET ? MAX : Long.toUnsignedString(value);
    }

    // ---- CPU

    private void cpu() {
        ResourceDirective weight = CPU_WEIGHT;
        ResourceDirective shares = CPU_SHARES;
        if (!settings.isSet(weight) && settings.isSet(shares)) {
            weight(shares, converted(settings.number(shares), DEFAULT_SHARES));
        } else {
            long value = settings.number(weight);
            boolean idle = value == 0;
            add("cpu.idle", idle ? "1" : "0", "0", weight);
            if (!idle) { // the kernel refuses a weight of an idle cgroup
                weight(weight, value == ResourceKind.UNSET ? DEFAULT_WEIGHT : value);
            }
        }
        long quota = settings.number(CPU_QUOTA);
        long period = period(settings.number(CPU_QUOTA_PERIOD), quota);
        String text =
                quota == ResourceKind.UNSET
                        ? MAX
                        : Long.toString(
                                Math.max(MILLISECOND, Math.multiplyExact(quota, period) / SECOND));
        add("cpu.max", text + " " + period, MAX + " " + DEFAULT_PERIOD, CPU_QUOTA);
    }

    private void weight(ResourceDirective directive, long value) {
        add("cpu.weight", Long.toString(value), Long.toString(DEFAULT_WEIGHT), directive);
    }

    /** Returns a period in which the quota is at least the kernel's least: a millisecond. */
    private static long period(long set, long quota) {
        long wanted = set == ResourceKind.UNSET || set == Long.MAX_VALUE ? DEFAULT_PERIOD : set;
        long least = quota == ResourceKind.UNSET ? 0 : MILLISECOND * SECOND / quota;
        return Math.min(Math.max(Math.max(wanted, MILLISECOND), least), SECOND);
    }

    private static long converted(long old, long usual) {
        return Math.clamp(old * DEFAULT_WEIGHT / usual, 1, MOST_WEIGHT);
    }

    private void cpuset() {
        ResourceDirective cpus = ALLOWED_CPUS;
        add("cpuset.cpus", settings.of(cpus).toString(), "", cpus);
        ResourceDirective nodes = ALLOWED_MEMORY_NODES;
        add("cpuset.mems", settings.of(nodes).toString(), "", nodes);
    }

    // ---- memory

    private void memory() {
        protection("memory.min", MEMORY_MIN, DEFAULT_MEMORY_MIN);
        protection("memory.low", MEMORY_LOW, DEFAULT_MEMORY_LOW);
        limit("memory.high", MEMORY_HIGH);
        ResourceDirective most = MEMORY_MAX;
        limit(
                "memory.max",
                !settings.isSet(most) && settings.isSet(MEMORY_LIMIT) ? MEMORY_LIMIT : most);
        limit("memory.swap.max", MEMORY_SWAP_MAX);
        limit("memory.zswap.max", MEMORY_ZSWAP_MAX);
        String back = settings.isOn(MEMORY_ZSWAP_WRITEBACK) ? "1" : "0";
        add("memory.zswap.writeback", back, "1", MEMORY_ZSWAP_WRITEBACK);
    }

    private void limit(String file, ResourceDirective directive) {
        add(file, max(MachineResources.memory(settings.amount(directive))), MAX, directive);
    }

    /** Protects memory, as much as the next slice above says that sets a default. */
    private void protection(String file, ResourceDirective own, ResourceDirective ofSlice) {
        Amount amount = settings.amount(own);
        if (!settings.isSet(own)) {
            for (ResourceSettings slice : slices) {
                if (slice.isSet(ofSlice)) {
                    amount = slice.amount(ofSlice);
                    break;
                }
            }
        }
        add(file, max(MachineResources.memory(amount)), "0", own);
    }

    // ---- IO

    private void io(Optional<ResourceSettings> before) {
        ResourceDirective weight = IO_WEIGHT;
        ResourceDirective old = BLOCK_IO_WEIGHT;
        boolean converts = !settings.isSet(weight) && settings.isSet(old);
        long value =
                converts
                        ? converted(settings.number(old), DEFAULT_BLOCK_WEIGHT)
                        : settings.number(weight);
        String usual = "default " + DEFAULT_WEIGHT;
        add(
                "io.weight",
                value == ResourceKind.UNSET ? usual : "default " + value,
                usual,
                converts ? old : weight);
        ioOfDevices(
                "io.weight",
                " default",
                IO_DEVICE_WEIGHT,
                weights(settings),
                before.map(this::weights));
        limits(before);
        ioOfDevices(
                "io.latency",
                " target=0",
                IO_DEVICE_LATENCY_TARGET,
                lines(settings, IO_DEVICE_LATENCY_TARGET, time -> " target=" + time),
                before.map(was -> lines(was, IO_DEVICE_LATENCY_TARGET, time -> " target=" + time)));
    }

    private void ioOfDevices(
            String file,
            String reset,
            ResourceDirective directive,
            Map<String, String> now,
            Optional<Map<String, String>> before) {
        before.ifPresent(was ->
                was.keySet().stream()
                        .filter(device -> !now.containsKey(device))
                        .forEach(device -> addOf(file, device + reset, directive)));
        now.forEach((device, value) -> addOf(file, device + value, directive));
    }

    private void addOf(String file, String value, ResourceDirective directive) {
        list.add(new Attribute(Controller.IO, file, value, false, Optional.of(directive)));
    }

    private Map<String, String> weights(ResourceSettings of) {
        return of.isSet(IO_DEVICE_WEIGHT)
                ? lines(of, IO_DEVICE_WEIGHT, weight -> " " + weight)
                : lines(
                        of,
                        BLOCK_IO_DEVICE_WEIGHT,
                        weight -> " " + converted(weight, DEFAULT_BLOCK_WEIGHT));
    }

    private interface Line {
        String of(long value);
    }

    private Map<String, String> lines(ResourceSettings of, ResourceDirective directive, Line line) {
        Map<String, String> lines = new LinkedHashMap<>();
        for (Object each : (List<?>) of.of(directive)) {
            DeviceValue value = (DeviceValue) each;
            devices.of(directive, value.path())
                    .ifPresent(numbers -> lines.put(numbers, line.of(value.value())));
        }
        return lines;
    }

    private void limits(Optional<ResourceSettings> before) {
        Map<String, String> now = maxima(settings);
        Optional<Map<String, String>> was = before.map(this::maxima);
        ioOfDevices(
                "io.max",
                " rbps=max wbps=max riops=max wiops=max",
                IO_READ_BANDWIDTH_MAX,
                now,
                was);
    }

    /** Returns the four limits of each device in one line. */
    private Map<String, String> maxima(ResourceSettings of) {
        Map<String, String> all = new LinkedHashMap<>();
        add(all, of, "rbps", IO_READ_BANDWIDTH_MAX, BLOCK_IO_READ_BANDWIDTH);
        add(all, of, "wbps", IO_WRITE_BANDWIDTH_MAX, BLOCK_IO_WRITE_BANDWIDTH);
        add(all, of, "riops", IO_READ_IOPS_MAX, IO_READ_IOPS_MAX);
        add(all, of, "wiops", IO_WRITE_IOPS_MAX, IO_WRITE_IOPS_MAX);
        all.replaceAll((_, limits) -> {
            StringBuilder line = new StringBuilder(limits);
            for (String key : List.of("rbps", "wbps", "riops", "wiops")) {
                if (!limits.contains(" " + key + "=")) {
                    line.append(' ').append(key).append("=max");
                }
            }
            return line.toString();
        });
        return all;
    }

    private void add(
            Map<String, String> all,
            ResourceSettings of,
            String key,
            ResourceDirective directive,
            ResourceDirective old) {
        ResourceDirective set = of.isSet(directive) ? directive : old;
        lines(of, set, value -> " " + key + "=" + max(value))
                .forEach((device, text) -> all.merge(device, text, String::concat));
    }
}
