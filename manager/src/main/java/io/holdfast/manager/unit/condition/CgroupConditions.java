package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The conditions about controllers and pressure of cgroups. */
final class CgroupConditions {
    private static final Set<String> V1 =
            Set.of("cpu", "cpuacct", "blkio", "memory", "devices", "pids");
    private static final Set<String> V2 = Set.of("cpu", "cpuset", "io", "memory", "pids");
    private static final Set<String> BPF =
            Set.of(
                    "bpf-firewall",
                    "bpf-devices",
                    "bpf-foreign",
                    "bpf-socket-bind",
                    "bpf-restrict-network-interfaces");

    private static final Map<String, String> AVERAGES =
            Map.of("10sec", "avg10", "1min", "avg60", "5min", "avg300");

    private CgroupConditions() {}

    // ---- controllers

    /**
     * Returns whether all these controllers are available. Words that are no controllers are
     * ignored, as systemd ignores them.
     */
    static boolean hasController(String parameter, MachineFacts machine) {
        if (parameter.equals("v1") || parameter.equals("v2")) {
            return isUnified(machine) == parameter.equals("v2");
        }
        Set<String> wanted = new HashSet<>(WordReader.splitRelaxed(parameter));
        wanted.removeIf(name -> !V1.contains(name) && !V2.contains(name) && !BPF.contains(name));
        return available(machine).containsAll(wanted);
    }

    private static boolean isUnified(MachineFacts machine) {
        return machine.has("/sys/fs/cgroup/cgroup.controllers");
    }

    private static Set<String> available(MachineFacts machine) {
        Set<String> available = new HashSet<>();
        if (isUnified(machine)) {
            String list = machine.text("/sys/fs/cgroup/cgroup.controllers");
            available.addAll(Arrays.asList(list.split("\\s+")));
            available.retainAll(V2);
        } else {
            V1.stream()
                    .filter(name -> machine.has("/sys/fs/cgroup/" + name))
                    .forEach(available::add);
        }
        return available;
    }

    // ---- pressure

    static boolean isMemoryPressureBelow(String parameter, MachineFacts machine) {
        return isBelow("memory", parameter, machine);
    }

    static boolean isProcessorPressureBelow(String parameter, MachineFacts machine) {
        return isBelow("cpu", parameter, machine);
    }

    static boolean isIoPressureBelow(String parameter, MachineFacts machine) {
        return isBelow("io", parameter, machine);
    }

    /**
     * Returns whether the pressure of the machine, or of a slice, is at most a limit: {@code
     * app.slice:10%/1min}. It is where the kernel does not measure it.
     */
    private static boolean isBelow(String resource, String parameter, MachineFacts machine) {
        if (!machine.has("/proc/pressure")) {
            return true;
        }
        int colon = parameter.indexOf(':');
        String file = "/proc/pressure/" + resource;
        boolean whole = colon < 0;
        if (!whole) {
            if (!isUnified(machine) || !available(machine).contains(resource)) {
                return true;
            }
            file = slice(parameter.substring(0, colon).strip(), machine) + resource + ".pressure";
        }
        String[] limit = parameter.substring(colon + 1).split("/", 2);
        BigDecimal most = percent(limit[0].strip());
        String average = limit.length < 2 ? "avg300" : average(limit[1].strip());
        String measured = machine.text(file);
        if (measured.isEmpty()) {
            return true; // there is no such slice
        }
        boolean some = whole && resource.equals("cpu"); // "full" is undefined there
        return value(measured, some ? "some" : "full", average).compareTo(most) <= 0;
    }

    private static String slice(String name, MachineFacts machine) {
        UnitName slice = UnitName.of(name);
        StringBuilder path = new StringBuilder("/sys/fs/cgroup");
        path.append(
                machine.text("/proc/self/cgroup")
                        .lines()
                        .filter(line -> line.startsWith("0::/"))
                        .findFirst()
                        .map(line ->
                                line.substring("0::".length()).replaceFirst("/init\\.scope$", ""))
                        .filter(own -> !own.equals("/"))
                        .orElse(""));
        String stem = slice.stem();
        for (int dash = stem.indexOf('-', 1); ; dash = stem.indexOf('-', dash + 1)) {
            if (!stem.equals("-")) {
                path.append('/').append(dash < 0 ? stem : stem.substring(0, dash)).append(".slice");
            }
            if (dash < 0) {
                return path.append('/').toString();
            }
        }
    }

    private static String average(String span) {
        return AVERAGES.entrySet().stream()
                .filter(average -> span.startsWith(average.getKey()))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> Scalars.bad("10sec, 1min or 5min", span));
    }

    /** Parses a share with up to two decimals: in percent, permille or permyriad. */
    private static BigDecimal percent(String text) {
        for (Map.Entry<String, Integer> unit :
                List.of(Map.entry("%", 0), Map.entry("‰", 1), Map.entry("‱", 2))) {
            if (text.endsWith(unit.getKey())) {
                String number = text.substring(0, text.length() - unit.getKey().length());
                if (number.matches("[0-9]{1,8}(\\.[0-9]{1,2})?")) {
                    return new BigDecimal(number).movePointLeft(unit.getValue());
                }
            }
        }
        throw Scalars.bad("a percentage", text);
    }

    private static BigDecimal value(String measured, String share, String average) {
        List<String> lines = measured.lines().toList();
        String line =
                lines.stream()
                        .filter(each -> each.startsWith(share + " "))
                        .findFirst()
                        .orElseGet(lines::getFirst);
        return Arrays.stream(line.split(" "))
                .filter(field -> field.startsWith(average + "="))
                .map(field -> new BigDecimal(field.substring(average.length() + 1)))
                .findFirst()
                .orElseThrow(() -> Scalars.bad("a line of pressure", line));
    }
}
