package io.holdfast.interop.hostility;

import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a daemon holds at one moment.
 *
 * @param descriptors what each descriptor is open on
 * @param residentKiB its resident memory
 * @param tables the number of entries in each table
 */
record Footprint(List<String> descriptors, int residentKiB, Map<String, Long> tables) {
    /** How much more memory a daemon may keep: the heap of a JVM rarely shrinks. */
    private static final int SPARE_KIB = 128 << 10;

    /** The output of a unit, one for each: the manager keeps it from the first byte on. */
    private static final String OUTPUT = "/memfd:holdfast-log (deleted)";

    /** FIFOs that are kept for the next starts, a bounded number. */
    private static final String GATE = "/holdfast-gate-";

    /** Reads the footprint of a process. */
    static Footprint of(PidFd process, Map<String, Long> tables) {
        Path proc = Path.of("/proc/" + process.pid());
        Footprint read = new Footprint(descriptors(proc), residentKiB(proc), tables);
        if (!process.isAlive()) {
            throw new IllegalStateException(process + " has ended");
        }
        return read;
    }

    private static List<String> descriptors(Path proc) {
        List<String> open = new ArrayList<>();
        try (Stream<Path> numbers = Files.list(proc.resolve("fd"))) {
            for (Path number : numbers.toList()) {
                open.add(target(number));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        open.removeIf(target -> target.equals(OUTPUT) || target.contains(GATE));
        return open;
    }

    /** Returns what a descriptor is open on; for a pidfd, also whether its process is alive. */
    private static String target(Path number) {
        try {
            String target = Files.readSymbolicLink(number).toString();
            if (!target.equals("anon_inode:[pidfd]")) {
                return target;
            }
            Path info = number.resolveSibling("../fdinfo/" + number.getFileName());
            boolean isGone = Files.readString(info).contains("Pid:\t-1\n");
            return target + (isGone ? " of a process that has ended" : " of a process");
        } catch (IOException e) {
            return "closed meanwhile";
        }
    }

    private static int residentKiB(Path proc) {
        try {
            return Files.readAllLines(proc.resolve("status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToInt(line -> Integer.parseInt(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lists what has grown, beyond what a daemon may keep; empty if everything was released. */
    List<String> moreThan(Footprint before) {
        List<String> more = new ArrayList<>();
        if (descriptors.size() > before.descriptors.size()) {
            more.add(
                    "%d descriptors were open and %d are: %s"
                            .formatted(
                                    before.descriptors.size(),
                                    descriptors.size(),
                                    difference(before)));
        }
        if (residentKiB > before.residentKiB + SPARE_KIB) {
            more.add("%d KiB were resident and %d are".formatted(before.residentKiB, residentKiB));
        }
        tables.forEach((table, count) -> {
            long was = before.tables.getOrDefault(table, 0L);
            if (count > was) {
                more.add("%s was %d and is %d".formatted(table, was, count));
            }
        });
        return more;
    }

    /** Returns the kinds of descriptors that have become more. */
    private Map<String, Integer> difference(Footprint before) {
        Map<String, Integer> kinds = new TreeMap<>();
        descriptors.forEach(target -> kinds.merge(kind(target), 1, Integer::sum));
        before.descriptors.forEach(target -> kinds.merge(kind(target), -1, Integer::sum));
        kinds.values().removeIf(count -> count <= 0);
        return kinds;
    }

    private static String kind(String target) {
        return target.replaceAll("\\[\\d+]", "");
    }
}
