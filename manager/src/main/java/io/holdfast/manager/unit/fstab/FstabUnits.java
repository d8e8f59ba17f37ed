package io.holdfast.manager.unit.fstab;

import static java.util.stream.Collectors.joining;

import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.RealPath;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.section.DeviceUnit;
import io.holdfast.manager.unit.section.MountUnit;
import io.holdfast.manager.unit.value.MountOptions;
import io.holdfast.manager.unit.value.TimeSpan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * The mounts, automounts and swaps of an fstab(5), as unit files, after systemd-fstab-generator(8):
 * used where that program is not installed. What needs other programs of systemd is not done, and
 * reported: checks of file systems, making and growing them.
 */
public final class FstabUnits {
    /**
     * What the entries depend on.
     *
     * @param isContainer whether swaps are the host's
     * @param hasDevices whether there may be devices: in a container, sysfs is read-only
     */
    public record Machine(boolean isContainer, boolean hasDevices, Resolver resolver) {
        /** Resolves the symbolic links of a path, which may be missing, up to a mount point. */
        public interface Resolver {
            /**
             * Returns the path without symbolic links.
             *
             * @param end selects mount points that may not be there yet
             */
            String realPath(String path, Predicate<String> end) throws FileException;
        }

        /**
         * Finds out the facts of this machine. The links of a file system that is mounted are not
         * resolved: it may never answer, and at boot an entry must have the same name.
         *
         * @param mounted the mount points
         */
        public static Machine of(Virtualization virtualization, Set<String> mounted) {
            return new Machine(
                    virtualization.kind() == Virtualization.Kind.CONTAINER,
                    !isReadOnly(Path.of("/sys")),
                    (path, end) -> RealPath.of(path, at -> mounted.contains(at) || end.test(at)));
        }

        private static boolean isReadOnly(Path path) {
            try {
                return Files.getFileStore(path).isReadOnly();
            } catch (IOException e) {
                return false;
            }
        }
    }

    private static final List<String> NOT_DONE =
            List.of("x-systemd.makefs", "x-systemd.growfs", "x-systemd.pcrfs");

    /** The dependencies that options add, by option. */
    private static final Map<String, List<String>> DEPENDENCIES =
            new TreeMap<>(
                    Map.of(
                            "x-systemd.after", List.of("After"),
                            "x-systemd.before", List.of("Before"),
                            "x-systemd.requires", List.of("Requires", "After"),
                            "x-systemd.wants", List.of("Wants", "After")));

    private static final Map<String, String> NEEDED_PATHS =
            new TreeMap<>(
                    Map.of(
                            "x-systemd.requires-mounts-for", "RequiresMountsFor",
                            "x-systemd.wants-mounts-for", "WantsMountsFor"));

    private static final String DEVICE_TIMEOUT = "x-systemd.device-timeout";

    private final Path source;
    private final Machine machine;
    private final Collection<String> problems;
    private final Map<String, String> files = new TreeMap<>();
    private final Map<String, String> links = new TreeMap<>();
    private final Set<String> points = new HashSet<>(); // of the mounts until now

    private FstabUnits(Path source, Machine machine, Collection<String> problems) {
        this.source = source;
        this.machine = machine;
        this.problems = problems;
    }

    /**
     * Makes the units. Blocking: it follows links.
     *
     * @param source of the text
     * @param problems receives a line for each entry, or option, without effect
     */
    public static FstabUnits of(
            String text, Path source, Machine machine, Collection<String> problems) {
        FstabUnits units = new FstabUnits(source, machine, problems);
        for (FstabEntry entry : FstabEntry.parse(text)) {
            try {
                units.add(entry);
            } catch (IllegalArgumentException e) {
                units.report(entry, e.getMessage() + "; ignoring the entry");
            }
        }
        return units;
    }

    /** Returns the content of the files, by their path in the folder. */
    Map<String, String> files() {
        return files;
    }

    /** Returns the targets of the symbolic links, by their path in the folder. */
    Map<String, String> links() {
        return links;
    }

    /** Writes all into a folder. */
    public void write(Path folder) throws IOException {
        for (Map.Entry<String, String> file : files.entrySet()) {
            Files.writeString(placeIn(folder, file.getKey()), file.getValue());
        }
        for (Map.Entry<String, String> link : links.entrySet()) {
            Files.createSymbolicLink(placeIn(folder, link.getKey()), Path.of(link.getValue()));
        }
    }

    private static Path placeIn(Path folder, String name) throws IOException {
        Path path = folder.resolve(name);
        Files.createDirectories(Objects.requireNonNull(path.getParent()));
        return path;
    }

    private void report(FstabEntry entry, String problem) {
        problems.add(
                "%s: %s on %s: %s"
                        .formatted(
                                source, Quote.of(entry.what()), Quote.of(entry.where()), problem));
    }

    private void add(FstabEntry entry) {
        String what = DeviceUnit.node(written(entry.what()));
        if (!machine.hasDevices() && (what.equals("sysfs") || DeviceUnit.isNode(what))) {
            report(entry, "/sys is read-only, as in a container: no device; ignoring the entry");
        } else if (!isSwap(entry)) {
            mount(entry, what, deviceOf(what));
        } else if (machine.isContainer()) {
            report(entry, "a swap belongs to the host of a container; ignoring the entry");
        } else {
            String path = KernelPath.text(KernelPath.of(absolute(what, "the swap")).normalize());
            swap(entry, path, deviceOf(path));
        }
    }

    /** Returns the name of the unit of a device. */
    private static Optional<String> deviceOf(String what) {
        return DeviceUnit.isNode(what)
                ? Optional.of(nameOf(what, UnitType.DEVICE))
                : Optional.empty();
    }

    // ---- swaps

    private static boolean isSwap(FstabEntry entry) {
        return entry.type().equals("swap");
    }

    private void swap(FstabEntry entry, String what, Optional<String> device) {
        String name = nameOf(what, UnitType.SWAP);
        List<String> lines = new ArrayList<>();
        lines.add("[Unit]");
        describe(lines);
        device.ifPresent(unit -> lines.add("After=blockdev@" + stem(unit) + ".target"));
        lines.add("[Swap]");
        lines.add("What=" + escaped(what));
        options(lines, entry.options());
        if (put(entry, name, lines)) {
            ofDevice(entry, device);
            reportNotDone(entry);
            if (!entry.isSet("noauto", "auto")) {
                link("swap.target", entry.isSet("nofail", "fail") ? "wants" : "requires", name);
            }
        }
    }

    // ---- mounts

    private void mount(FstabEntry entry, String what, Optional<String> device) {
        String where = realPath(written(entry.where()));
        boolean _ = points.add(where);
        if (MountUnit.OF_THE_SYSTEM.contains(where) || where.startsWith("/sys/fs/cgroup/")) {
            return; // made before any unit starts
        }
        boolean isRoot = where.equals("/");
        boolean onAccess =
                !isRoot
                        && (entry.options().has("x-systemd.automount")
                                || entry.options().has("comment=systemd.automount"));
        boolean inBackground =
                !onAccess
                        && (entry.type().equals("nfs") || entry.type().equals("nfs4"))
                        && entry.isSet("bg", "fg");
        boolean mayFail = !isRoot && (inBackground || entry.isSet("nofail", "fail"));
        List<UnitName> wantedBy = owners(entry, "x-systemd.wanted-by");
        List<UnitName> requiredBy = owners(entry, "x-systemd.required-by");
        boolean isDefault = wantedBy.isEmpty() && requiredBy.isEmpty();
        MountOptions options = options(entry, isRoot, inBackground);
        String target =
                MountUnit.needsNetwork(entry.type(), options)
                        ? "remote-fs.target"
                        : "local-fs.target";
        List<String> lines = new ArrayList<>();
        lines.add("[Unit]");
        describe(lines);
        if (!isDefault) {
            lines.add("DefaultDependencies=no");
            lines.add("Conflicts=umount.target");
            lines.add("Before=umount.target");
        }
        dependencies(lines, entry);
        if (isDefault && !mayFail) {
            lines.add("Before=" + target);
        }
        device.ifPresent(unit -> lines.add("After=blockdev@" + stem(unit) + ".target"));
        lines.add("[Mount]");
        lines.add("What=" + escaped(what));
        lines.add("Where=" + escaped(where));
        if (!entry.type().isEmpty() && !entry.type().equals("auto")) {
            lines.add("Type=" + escaped(written(entry.type())));
        }
        time(entry, options, "x-systemd.mount-timeout")
                .ifPresent(limit -> lines.add("TimeoutSec=" + limit));
        options(lines, options);
        if (options.has("x-systemd.rw-only")) {
            lines.add("ReadWriteOnly=yes");
        }
        String name = nameOf(where, UnitType.MOUNT);
        if (!put(entry, name, lines)) {
            return;
        }
        ofDevice(entry, device);
        reportNotDone(entry);
        if (isRoot && !options.toString().isEmpty()) {
            report(entry, "its options are not set without systemd's own generator");
        }
        String started = onAccess ? automount(entry, where) : name;
        if (!isDefault) {
            wantedBy.forEach(each -> link(each.text(), "wants", started));
            requiredBy.forEach(each -> link(each.text(), "requires", started));
        } else if (isRoot || onAccess || !entry.isSet("noauto", "auto")) {
            link(target, mayFail ? "wants" : "requires", started);
        }
    }

    /** Returns the options of a mount; those of a background mount are systemd's. */
    private static MountOptions options(FstabEntry entry, boolean isRoot, boolean inBackground) {
        List<String> options = new ArrayList<>();
        if (inBackground) {
            options.addAll(List.of("x-systemd.mount-timeout=infinity", "retry=10000", "nofail"));
        }
        entry.options().options().stream()
                .filter(each -> !each.startsWith(DEVICE_TIMEOUT + "="))
                .filter(each ->
                        !isRoot
                                || !List.of("noauto", "nofail", "x-systemd.automount")
                                        .contains(each))
                .forEach(options::add);
        if (inBackground) {
            options.add("fg"); // it is the manager that waits
        }
        return new MountOptions(options);
    }

    private String automount(FstabEntry entry, String where) {
        String name = nameOf(where, UnitType.AUTOMOUNT);
        List<String> lines = new ArrayList<>();
        lines.add("[Unit]");
        describe(lines);
        lines.add("[Automount]");
        lines.add("Where=" + escaped(where));
        time(entry, entry.options(), "x-systemd.idle-timeout")
                .ifPresent(limit -> lines.add("TimeoutIdleSec=" + limit));
        boolean _ = put(entry, name, lines);
        return name;
    }

    // ---- parts

    private void describe(List<String> lines) {
        lines.add("Documentation=man:fstab(5)");
        lines.add("SourcePath=" + source);
    }

    private static void dependencies(List<String> lines, FstabEntry entry) {
        DEPENDENCIES.forEach((option, directives) -> {
            List<String> values = entry.options().values(option);
            if (!values.isEmpty()) {
                String names = values.stream().map(FstabUnits::unit).collect(joining(" "));
                directives.forEach(directive -> lines.add(directive + "=" + names));
            }
        });
        NEEDED_PATHS.forEach((option, directive) -> {
            List<String> values = entry.options().values(option);
            if (!values.isEmpty()) {
                lines.add(directive + "=" + escaped(written(String.join(" ", values))));
            }
        });
    }

    /** Returns the unit that an option means: a path, or a name with or without its type. */
    private static String unit(String word) {
        String name = word.startsWith("/") ? "" : UnitEscape.escapeInvalid(word);
        return UnitName.parse(name)
                .or(() -> UnitName.parse(name + UnitType.MOUNT.suffix()))
                .orElseGet(() -> UnitName.ofUserInput(word))
                .text();
    }

    private static String stem(String unit) {
        return UnitName.of(unit).stem();
    }

    private static void options(List<String> lines, MountOptions options) {
        String text = options.toString();
        if (!text.isEmpty() && !text.equals("defaults")) {
            lines.add("Options=" + escaped(written(text)));
        }
    }

    /** Adds what the options say about the device. */
    private void ofDevice(FstabEntry entry, Optional<String> device) {
        Optional<TimeSpan> limit = time(entry, entry.options(), DEVICE_TIMEOUT);
        if (device.isEmpty()) {
            limit.ifPresent(
                    _ -> report(entry, DEVICE_TIMEOUT + "= has no effect without a device"));
            return;
        }
        String folder = device.get() + ".d/";
        limit.ifPresent(each ->
                putDropIn(folder + "50-device-timeout.conf", "JobRunningTimeoutSec=" + each));
        if (entry.options().has("_netdev") && !isSwap(entry)) {
            putDropIn(
                    folder + "50-netdev-dependencies.conf",
                    "After=network-online.target network.target",
                    "Wants=network-online.target");
        }
    }

    private void putDropIn(String path, String... lines) {
        files.put(path, "[Unit]\n" + String.join("\n", lines) + "\n");
    }

    private Optional<TimeSpan> time(FstabEntry entry, MountOptions options, String option) {
        Optional<String> text = options.value(option);
        try {
            return text.map(TimeSpan::parse);
        } catch (IllegalArgumentException e) {
            report(
                    entry,
                    "%s=%s: %s; ignoring it"
                            .formatted(option, Quote.of(text.orElse("")), e.getMessage()));
            return Optional.empty();
        }
    }

    private void reportNotDone(FstabEntry entry) {
        NOT_DONE.stream()
                .filter(entry.options()::has)
                .forEach(option ->
                        report(entry, option + ": not done without systemd's own generator"));
        if (entry.pass() != 0 && !isSwap(entry)) {
            report(
                    entry,
                    "pass number %d: its file system is not checked without systemd's own generator"
                            .formatted(entry.pass()));
        }
    }

    private boolean put(FstabEntry entry, String name, List<String> lines) {
        boolean isNew =
                files.putIfAbsent(name, "# Made from " + source + "\n" + text(lines)) == null;
        if (!isNew) {
            report(entry, "there is an entry for " + name + " already; ignoring the later one");
        }
        return isNew;
    }

    private static String text(List<String> lines) {
        return lines.stream()
                .map(line -> (line.startsWith("[") ? "\n" : "") + line + "\n")
                .collect(joining());
    }

    private void link(String owner, String kind, String name) {
        links.put(owner + "." + kind + "/" + name, "../" + name);
    }

    private static List<UnitName> owners(FstabEntry entry, String option) {
        return entry.options().values(option).stream().map(UnitName::of).toList();
    }

    private static String nameOf(String path, UnitType type) {
        return UnitName.of(UnitEscape.escapePath(path) + type.suffix()).text();
    }

    private String realPath(String where) {
        try {
            return machine.resolver()
                    .realPath(absolute(where, "the mount point"), points::contains);
        } catch (FileException e) {
            throw new IllegalArgumentException("the mount point " + e.getMessage(), e);
        }
    }

    private static String absolute(String path, String what) {
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException(what + " is no absolute path");
        }
        return path;
    }

    private static String escaped(String text) {
        return text.replace("%", "%%");
    }

    /** Returns a text that a unit file can contain. */
    private static String written(String text) {
        boolean isBroken =
                !text.equals(text.strip())
                        || text.endsWith("\\")
                        || text.chars().anyMatch(c -> c < ' ' || c == 0x7F);
        if (isBroken) {
            throw new IllegalArgumentException("a field cannot be written to a unit file");
        }
        return text;
    }
}
