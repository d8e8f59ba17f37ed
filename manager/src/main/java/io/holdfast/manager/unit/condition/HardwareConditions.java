package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.value.Scalars;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The conditions about power, memory and processors. */
final class HardwareConditions {
    /** The features of x86 that systemd knows under the kernel's name. */
    private static final Set<String> FEATURES =
            Set.of(
                    "fpu",
                    "vme",
                    "de",
                    "pse",
                    "tsc",
                    "msr",
                    "pae",
                    "mce",
                    "cx8",
                    "apic",
                    "sep",
                    "mtrr",
                    "pge",
                    "mca",
                    "cmov",
                    "pat",
                    "pse36",
                    "clflush",
                    "mmx",
                    "fxsr",
                    "sse",
                    "sse2",
                    "ht",
                    "pni",
                    "monitor",
                    "ssse3",
                    "cx16",
                    "sse4_1",
                    "sse4_2",
                    "movbe",
                    "popcnt",
                    "aes",
                    "xsave",
                    "avx",
                    "f16c",
                    "rdrand",
                    "bmi1",
                    "avx2",
                    "bmi2",
                    "rdseed",
                    "adx",
                    "sha_ni",
                    "syscall",
                    "rdtscp",
                    "lm",
                    "lahf_lm",
                    "abm",
                    "constant_tsc");

    /** The features that the kernel lists under another name. */
    private static final Map<String, String> RENAMED =
            Map.of("pclmul", "pclmulqdq", "fma3", "fma", "osxsave", "xsave");

    private HardwareConditions() {}

    // ---- power

    /**
     * Returns whether the machine is on external power: a supply is online, or no battery of the
     * machine is discharging.
     */
    static boolean isOnPower(String parameter, MachineFacts machine) throws IOException {
        boolean wanted = Scalars.parseBoolean(parameter);
        boolean discharging = false;
        for (Path supply : entries(machine.path("/sys/class/power_supply"))) {
            String type = SmallFile.read(supply.resolve("type"));
            if (type.equals("Battery")) {
                discharging |= isDischarging(supply);
            } else if (SmallFile.read(supply.resolve("online")).matches("[1-9][0-9]*")
                    && !(type.equals("USB") && suppliesOthers(supply))) {
                return wanted;
            }
        }
        return wanted != discharging;
    }

    private static boolean isDischarging(Path battery) {
        return !SmallFile.read(battery.resolve("scope")).equals("Device") // of a mouse, say
                && !SmallFile.read(battery.resolve("present")).equals("0")
                && SmallFile.read(battery.resolve("status")).equals("Discharging");
    }

    /** Returns whether a USB port supplies another device: all its connectors are sources. */
    private static boolean suppliesOthers(Path supply) throws IOException {
        Path typec = supply.toRealPath().resolve("../../typec").normalize();
        List<String> roles =
                entries(typec).stream()
                        .map(port -> SmallFile.read(port.resolve("power_role")))
                        .filter(role -> !role.isEmpty())
                        .toList();
        return !roles.isEmpty() && roles.stream().allMatch(role -> role.contains("[source]"));
    }

    private static List<Path> entries(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            List<Path> entries = new ArrayList<>();
            stream.forEach(entries::add);
            return entries;
        }
    }

    // ---- memory and processors

    /** Compares the physical memory, or the limit of the whole cgroup tree if that is lower. */
    static boolean hasMemory(String parameter, MachineFacts machine) {
        Comparison comparison = Comparison.parse(parameter).or(">=");
        long wanted = Scalars.parseSize(comparison.operand());
        long available = physicalMemory(machine);
        for (String limit :
                List.of(
                        "/sys/fs/cgroup/memory.max",
                        "/sys/fs/cgroup/memory/memory.limit_in_bytes")) {
            String bytes = machine.text(limit);
            if (bytes.matches("[0-9]{1,18}")) {
                available = Math.min(available, Long.parseLong(bytes));
            }
        }
        return comparison.holdsForOrder(Long.compareUnsigned(available, wanted));
    }

    private static long physicalMemory(MachineFacts machine) {
        String total =
                machine.text("/proc/meminfo")
                        .lines()
                        .filter(line -> line.startsWith("MemTotal:"))
                        .findFirst()
                        .orElse("")
                        .replaceAll("[^0-9]", "");
        if (total.isEmpty()) {
            throw Scalars.bad("an amount of memory", total);
        }
        return Long.parseLong(total) << 10;
    }

    /** Compares the number of processors that the manager may run on. */
    static boolean hasProcessors(String parameter, MachineFacts machine) {
        Comparison comparison = Comparison.parse(parameter).or(">=");
        long wanted = Scalars.parseInt(comparison.operand(), 0, Integer.MAX_VALUE);
        return comparison.holdsForOrder(
                Long.compare(count(machine.status("Cpus_allowed_list")), wanted));
    }

    /** Counts the numbers of a list such as {@code 0-3,6}. */
    private static long count(String list) {
        if (!list.matches("[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*")) {
            throw Scalars.bad("a list of processors", list);
        }
        long count = 0;
        for (String range : list.split(",")) {
            String[] ends = range.split("-");
            count += Long.parseLong(ends[ends.length - 1]) - Long.parseLong(ends[0]) + 1;
        }
        return count;
    }

    /** Returns whether the processor has a feature; only those of x86 are known. */
    static boolean hasFeature(String parameter, MachineFacts machine) {
        String feature = parameter.toLowerCase(Locale.ROOT);
        String name = RENAMED.getOrDefault(feature, FEATURES.contains(feature) ? feature : "");
        return !name.isEmpty() && features(machine).contains(name);
    }

    /** Returns the features of the first processor, under the kernel's names. */
    static Set<String> features(MachineFacts machine) {
        return machine.text("/proc/cpuinfo")
                .lines()
                .filter(line -> line.startsWith("flags"))
                .findFirst()
                .map(line -> Arrays.stream(line.substring(line.indexOf(':') + 1).split("\\s+")))
                .map(names -> names.collect(Collectors.toSet()))
                .orElse(Set.of());
    }
}
