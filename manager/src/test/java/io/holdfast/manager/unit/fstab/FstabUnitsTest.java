package io.holdfast.manager.unit.fstab;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.file.folder.RealPath;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The units that we make of an fstab(5), and those that systemd's generator makes of the same. */
@Timeout(60)
class FstabUnitsTest {
    private static final String GENERATOR =
            "/usr/lib/systemd/system-generators/systemd-fstab-generator";
    private static final int ENTRIES = 400;

    @TempDir private Path folder;
    private final List<String> problems = new ArrayList<>();

    private FstabUnits units(String text, boolean isContainer, boolean hasDevices) {
        return FstabUnits.of(
                text,
                Path.of("/etc/fstab"),
                new FstabUnits.Machine(isContainer, hasDevices, RealPath::of),
                problems);
    }

    private FstabUnits units(String text) {
        return units(text, false, true);
    }

    @Test
    void whatIsNotDoneIsReported() {
        units(
                """
                /dev/sda1 / ext4 rw 0 1
                /dev/sda2 /srv/a ext4 x-systemd.makefs,x-systemd.growfs 0 0
                tmpfs /srv/b tmpfs x-systemd.device-timeout=5s 0 0
                tmpfs /srv/c tmpfs x-systemd.mount-timeout=soon 0 0
                tmpfs relative tmpfs
                tmpfs
                tmpfs /srv/b tmpfs
                a\\012b /srv/d ext4
                tmpfs /srv/e tmpfs x-systemd.wanted-by=../../x
                """);
        assertThat(problems)
                .hasSize(11)
                .allMatch(line -> line.startsWith("/etc/fstab: \""))
                .anyMatch(line -> line.contains("pass number 1: its file system is not checked"))
                .anyMatch(line -> line.contains("its options are not set"))
                .anyMatch(line -> line.contains("x-systemd.makefs: not done"))
                .anyMatch(line -> line.contains("x-systemd.growfs: not done"))
                .anyMatch(line -> line.contains("no effect without a device"))
                .anyMatch(line -> line.contains("x-systemd.mount-timeout=\"soon\""))
                .anyMatch(line -> line.contains("\"relative\": the mount point is no absolute"))
                .anyMatch(line -> line.contains("an entry for srv-b.mount already"))
                .anyMatch(line -> line.contains("cannot be written to a unit file"))
                .anyMatch(line -> line.contains("../../x"));
    }

    @Test
    void aContainerHasNoSwapsAndNoDevices() {
        String text =
                "/dev/sda1 /srv ext4\n/swapfile none swap\nsysfs /sys2 sysfs\ntmpfs /a tmpfs\n";
        assertThat(units(text, true, false).files()).containsOnlyKeys("a.mount");
        assertThat(problems).hasSize(3);
    }

    @Test
    void filesAndLinksAreWrittenToTheFolder() throws Exception {
        units("tmpfs /a tmpfs x-systemd.automount 0 0").write(folder);
        assertThat(Files.readString(folder.resolve("a.automount"))).contains("Where=/a\n");
        assertThat(folder.resolve("local-fs.target.requires/a.automount").toRealPath())
                .isEqualTo(folder.toRealPath().resolve("a.automount"));
    }

    private static List<String> mountPoints(FstabUnits units) {
        return units.files().values().stream()
                .flatMap(String::lines)
                .filter(line -> line.startsWith("Where="))
                .map(line -> line.substring("Where=".length()))
                .toList();
    }

    @Test
    void aLinkAboveAMountPointIsFollowedUpToTheMountPointOfAnEarlierEntry() throws Exception {
        Path real = folder.toRealPath();
        Files.createDirectories(real.resolve("a/b"));
        Files.createSymbolicLink(real.resolve("link"), Path.of("a"));
        Files.createSymbolicLink(real.resolve("a/b/link"), real.resolve("a"));
        String text =
                "tmpfs %1$s/link/c tmpfs\ntmpfs %1$s/link/b tmpfs\ntmpfs %1$s/a/b/link/x tmpfs\n"
                        .formatted(real);
        assertThat(mountPoints(units(text)))
                .containsExactlyInAnyOrder(real + "/a/c", real + "/a/b", real + "/a/b/link/x");
        assertThat(problems).isEmpty();
    }

    @Test
    @Needs(root = true)
    void aMountPointBehindALinkOfAUserIsIgnored() throws Exception {
        Path own = Files.createDirectory(folder.toRealPath().resolve("own"));
        Path link = Files.createSymbolicLink(own.resolve("share"), folder.toRealPath());
        Files.setAttribute(own, "unix:uid", 1000);
        Files.setAttribute(link, "unix:uid", 1000, LinkOption.NOFOLLOW_LINKS);
        FstabUnits units = units("tmpfs %s tmpfs\n".formatted(link));
        assertThat(units.files()).isEmpty();
        assertThat(problems)
                .singleElement()
                .asString()
                .contains("leads through the symbolic link", "ignoring the entry");
    }

    // ---- beside systemd

    @Test
    @Needs(files = GENERATOR)
    void theyAreThoseOfSystemdsGenerator() throws Exception {
        long seed = new Random().nextLong();
        String text = entries(new Random(seed));
        Map<String, String> theirs = generated(text);
        FstabUnits units =
                FstabUnits.of(
                        text,
                        folder.resolve("fstab"),
                        FstabUnits.Machine.of(Host.read().virtualization(), MountTable.points()),
                        problems);
        Map<String, String> ours = new TreeMap<>(units.links());
        units.files().forEach((name, content) -> ours.put(name, comparable(content)));
        assertThat(differences(ours, theirs)).as("seed %d", seed).isEmpty();
        assertThat(ours).hasSizeGreaterThan(ENTRIES / 2);
    }

    private static List<String> differences(Map<String, String> ours, Map<String, String> theirs) {
        Set<String> names = new TreeSet<>(ours.keySet());
        names.addAll(theirs.keySet());
        names.removeIf(name -> Objects.equals(ours.get(name), theirs.get(name)));
        return names.stream()
                .map(name -> name + "\nours: " + ours.get(name) + "\ntheirs: " + theirs.get(name))
                .toList();
    }

    private static <T> T one(Random random, List<T> of) {
        return of.get(random.nextInt(of.size()));
    }

    /** Makes entries for mount points of their own, and some that are odd. */
    private static String entries(Random random) {
        StringBuilder text =
                new StringBuilder(
                        """
                        # a comment
                           server:/x   /n1   nfs   bg,nofail,x-systemd.automount  0  0
                        server:/x /n2 nfs4 bg,soft 0 0
                        /dev/sda1 / ext4 rw,noauto,nofail,x-systemd.automount
                        tmpfs /run tmpfs ro 0 0
                        tmpfs /var/run/x tmpfs ro 0 0
                        tmpfs /run/x tmpfs rw 0 0
                        tmpfs /sys/fs/cgroup/x tmpfs ro 0 0
                        tmpfs /tmp tmpfs ro 0 0
                        /swap1 none swap pri=3,x-systemd.wanted-by=foo.target 0 0
                        /dev/sdx2 swap swap noauto,x-systemd.device-timeout=3 0 0
                        /dev/sdx2 swap swap defaults 0 0
                        nothing
                        /dev/sdx /no/type
                        /dev/sdx /no/options ext4
                        """);
        List<String> sources =
                List.of(
                        "tmpfs",
                        "/dev/sda1",
                        "UUID=12-34",
                        "LABEL=two\\040words",
                        "LABEL=foo\\134bar",
                        "PARTUUID=\"a%b\"",
                        "/img",
                        "server:/export",
                        "//srv/share",
                        "fuse#prog");
        List<String> types =
                List.of("auto", "ext4", "tmpfs", "nfs", "cifs", "fuse.sshfs", "none", "swap");
        List<String> options =
                List.of(
                        "defaults",
                        "rw",
                        "noauto",
                        "auto",
                        "nofail",
                        "fail",
                        "_netdev",
                        "bg",
                        "bind",
                        "size=5%",
                        "user=x\\134y",
                        "x-systemd.automount",
                        "comment=systemd.automount",
                        "x-systemd.idle-timeout=1min",
                        "x-systemd.mount-timeout=90",
                        "x-systemd.device-timeout=5",
                        "x-systemd.device-timeout=bogus",
                        "x-systemd.rw-only",
                        "x-systemd.requires=a.service",
                        "x-systemd.requires=/srv",
                        "x-systemd.wants=b",
                        "x-systemd.after=/dev/sdb",
                        "x-systemd.before=x\\040y",
                        "x-systemd.requires-mounts-for=/q%r",
                        "x-systemd.wants-mounts-for=/s",
                        "x-systemd.wanted-by=foo.target",
                        "x-systemd.required-by=bar.service");
        for (int i = 0; i < ENTRIES; i++) {
            String words =
                    Stream.generate(() -> one(random, options))
                            .limit(1 + random.nextInt(5))
                            .collect(joining(","));
            String source = one(random, sources);
            String type = one(random, types);
            text.append(type.equals("swap") ? "/dev/swap" + i : source)
                    .append(one(random, List.of(" ", "\t", "  \t")))
                    .append("/hf-mnt/p" + i + one(random, List.of("", "/", "%x", "\\040y")))
                    .append(" " + type + " " + words + "\n");
        }
        return text.toString();
    }

    private Map<String, String> generated(String text) throws Exception {
        Path fstab = Files.writeString(folder.resolve("fstab"), text);
        List<String> command = new ArrayList<>(List.of(GENERATOR));
        for (String output : List.of("normal", "early", "late")) {
            command.add(Files.createDirectory(folder.resolve(output)).toString());
        }
        ProcessBuilder generator = new ProcessBuilder(command);
        generator.environment().put("SYSTEMD_FSTAB", fstab.toString());
        generator.redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile());
        assertThat(generator.start().waitFor()).as("refuses some entries").isBetween(0, 1);
        Path output = folder.resolve("normal");
        Map<String, String> found = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(output)) {
            for (Path path : paths.filter(path -> !Files.isDirectory(path)).toList()) {
                if (Files.isSymbolicLink(path)) {
                    String target = Files.readSymbolicLink(path).toString();
                    if (target.startsWith("../")) { // else of a program of systemd
                        found.put(output.relativize(path).toString(), target);
                    }
                } else {
                    found.put(
                            output.relativize(path).toString(), comparable(Files.readString(path)));
                }
            }
        }
        return found;
    }

    /** Returns the assignments of a unit file, in order, without those that name its maker. */
    private static String comparable(String text) {
        return text.lines()
                .filter(line -> line.contains("=") && !line.startsWith("#"))
                .filter(line ->
                        !line.startsWith("Documentation=") && !line.startsWith("SourcePath"))
                .map(line -> {
                    int equals = line.indexOf('=');
                    return line.startsWith("Timeout") || line.startsWith("JobRunningTimeout")
                            ? line.substring(0, equals)
                                    + "="
                                    + TimeSpan.parse(line.substring(equals + 1))
                            : line.replaceFirst("^(Where=.+)/$", "$1");
                })
                .sorted()
                .collect(joining("\n"));
    }
}
