package io.holdfast.manager.unit.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.install.InstallRequest.Operation;
import io.holdfast.manager.unit.install.UnitFileStates.State;
import io.holdfast.manager.unit.section.UnitReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same operations on the same files, by systemctl(1) in one root and by us in another. */
@Needs(programs = "systemctl")
class InstallBesideSystemctlTest {
    private static final List<String> FLAGS = List.of("--runtime", "--force");

    private static final Set<State> PRESETS_NOT_SHOWN =
            EnumSet.of(State.ALIAS, State.STATIC, State.GENERATED, State.TRANSIENT);

    @TempDir private Path folder;
    private Path theirs;
    private Path ours;

    @BeforeEach
    void makeRoots() throws IOException {
        theirs = Files.createDirectories(folder.resolve("theirs"));
        ours = Files.createDirectories(folder.resolve("ours"));
        for (String each :
                List.of("etc/systemd/system", "usr/lib/systemd/system", "run/systemd/system")) {
            Files.createDirectories(theirs.resolve(each));
            Files.createDirectories(ours.resolve(each));
        }
        for (String target : List.of("multi-user", "graphical", "sockets", "rescue")) {
            unit(target + ".target", "[Unit]\nDescription=t\n");
        }
    }

    /** A link out of the folder is no reason for a warning. */
    @AfterEach
    void removeRoots() throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                if (!each.equals(folder)) {
                    Files.delete(each);
                }
            }
        }
    }

    private void file(String path, String text) throws IOException {
        for (Path root : List.of(theirs, ours)) {
            Path file = root.resolve(path);
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        }
    }

    private void link(String path, String target) throws IOException {
        for (Path root : List.of(theirs, ours)) {
            Path link = root.resolve(path);
            Files.createDirectories(link.getParent());
            Files.createSymbolicLink(link, Path.of(target));
        }
    }

    private void unit(String name, String text) throws IOException {
        file("usr/lib/systemd/system/" + name, text);
    }

    private void service(String name, String install) throws IOException {
        String exec = "[Service]\nExecStart=/bin/true\n";
        unit(name, exec + (install.isEmpty() ? "" : "[Install]\n" + install));
    }

    /** Returns all links and files below a root. */
    private static SortedMap<String, String> tree(Path root) throws IOException {
        SortedMap<String, String> tree = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path each : all.toList()) {
                String name = root.relativize(each).toString();
                if (Files.isSymbolicLink(each)) {
                    tree.put(name, Files.readSymbolicLink(each).toString());
                } else if (name.endsWith(".wants") || name.endsWith(".requires")) {
                    tree.put(name, "folder");
                }
            }
        }
        return tree;
    }

    private int systemctl(String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("systemctl", "--root=" + theirs));
        command.addAll(List.of(words));
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(folder.resolve("said").toFile())
                        .start();
        return process.waitFor();
    }

    private InstallResult install(String... words) {
        List<String> files = new ArrayList<>(Arrays.asList(words).subList(1, words.length));
        List<String> flags = files.stream().filter(FLAGS::contains).toList();
        files.removeAll(flags);
        Operation operation =
                switch (words[0]) {
                    case "enable" -> Operation.ENABLE;
                    case "disable" -> Operation.DISABLE;
                    case "reenable" -> Operation.REENABLE;
                    case "mask" -> Operation.MASK;
                    case "unmask" -> Operation.UNMASK;
                    case "link" -> Operation.LINK;
                    case "preset", "preset-all" -> Operation.PRESET;
                    case "revert" -> Operation.REVERT;
                    case "set-default" -> Operation.SET_DEFAULT;
                    case "add-wants" -> Operation.ADD_WANTS;
                    case "add-requires" -> Operation.ADD_REQUIRES;
                    default -> throw new IllegalArgumentException(words[0]);
                };
        boolean force = flags.contains("--force") || operation == Operation.SET_DEFAULT;
        ManagerScope scope = ManagerScope.system(Map.of());
        LoadPath path = path();
        return new UnitInstaller(InstallFolders.of(scope, path), new UnitReader(Host.read(), scope))
                .run(new InstallRequest(operation, files, flags.contains("--runtime"), force));
    }

    private LoadPath path() {
        return LoadPath.system(Map.of()).below(new FileRoot(ours));
    }

    /** Returns what {@code systemctl list-unit-files} prints of each unit file. */
    private String theirStates() throws Exception {
        int _ = systemctl("list-unit-files", "--no-legend", "--no-pager");
        return Files.readString(folder.resolve("said"))
                .lines()
                .map(line -> line.strip().replaceAll("\\s+", " "))
                .filter(line -> !line.isEmpty())
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    private String ourStates() {
        UnitReader reader = new UnitReader(Host.read(), ManagerScope.system(Map.of()));
        UnitLoader loader = UnitLoader.scan(path());
        InstallFolders folders = InstallFolders.of(ManagerScope.system(Map.of()), path());
        UnitFileStates states = UnitFileStates.read(folders);
        Presets presets = Presets.read(folders.presets());
        return loader.names().stream()
                .map(name -> {
                    State state = states.of(name, reader.read(loader.load(name)));
                    return "%s %s %s"
                            .formatted(
                                    name,
                                    (state == State.NOT_FOUND ? State.BAD : state).word(),
                                    PRESETS_NOT_SHOWN.contains(state) ? "-" : presets.word(name));
                })
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    private void sameStates(String after) throws Exception {
        assertThat(ourStates()).as("states after " + after).isEqualTo(theirStates());
    }

    /** Runs an operation on both sides, and compares them. */
    private void same(String line) throws Exception {
        String[] words = line.split(" ");
        int status = systemctl(words);
        InstallResult result = install(words);
        String said = Files.readString(folder.resolve("said"));
        assertThat(tree(ours))
                .as("%s: systemctl said %s, we %s", line, said, result)
                .isEqualTo(tree(theirs));
        sameStates(line);
        // without a manager these succeed also if nothing could be done
        if (!words[0].equals("disable") && !words[0].startsWith("preset")) {
            assertThat(result.failure().isEmpty())
                    .as("%s: systemctl said %s, we %s", line, said, result)
                    .isEqualTo(status == 0);
        }
    }

    @Test
    void wantedByRequiredByAndUpheldByMakeLinks() throws Exception {
        service(
                "a.service",
                """
                WantedBy=multi-user.target graphical.target
                RequiredBy=rescue.target
                UpheldBy=multi-user.target
                """);
        same("enable a.service");
        same("enable a.service");
        same("reenable a.service");
        same("disable a.service");
        same("disable a.service");
    }

    @Test
    void aDestinationMayBeMissing() throws Exception {
        service("a.service", "WantedBy=nowhere.target\n");
        same("enable a.service");
        assertThat(tree(ours)).containsKey("etc/systemd/system/nowhere.target.wants/a.service");
    }

    @Test
    void aliasesAreMadeAndRemoved() throws Exception {
        service("ssh.service", "WantedBy=multi-user.target\nAlias=sshd.service other.service\n");
        same("enable ssh.service");
        same("enable sshd.service");
        same("disable sshd.service");
    }

    @Test
    void anAliasThatCannotBeIsRefused() throws Exception {
        service("a.service", "Alias=a.socket\nWantedBy=multi-user.target\n");
        same("enable a.service");
        service("b@.service", "Alias=b.service\n");
        same("enable b@.service");
    }

    @Test
    void alsoEnablesAndDisablesTheOthers() throws Exception {
        service("a.service", "WantedBy=multi-user.target\nAlso=a.socket missing.service\n");
        unit(
                "a.socket",
                """
                [Socket]
                ListenStream=/run/a
                [Install]
                WantedBy=sockets.target
                Also=a.service
                """);
        same("enable a.service");
        same("disable a.socket");
    }

    @Test
    void alsoOfAMaskedUnitDoesNothing() throws Exception {
        service("a.service", "Also=b.service\n");
        service("b.service", "WantedBy=multi-user.target\n");
        same("mask b.service");
        same("enable a.service");
        same("enable b.service");
        same("disable a.service");
        same("disable b.service");
    }

    @Test
    void templatesAreEnabledByTheirDefaultInstanceOrANamedOne() throws Exception {
        service("getty@.service", "WantedBy=multi-user.target\nDefaultInstance=tty1\n");
        service("plain@.service", "WantedBy=multi-user.target\n");
        service("per@.service", "WantedBy=multi-user@%i.target\nAlias=p-%i.service\n");
        service("tmpl@.service", "WantedBy=multi@.target\n");
        unit("multi@.target", "[Unit]\nDescription=t\n");
        same("enable getty@.service");
        same("enable getty@tty7.service");
        same("disable getty@tty7.service");
        same("enable plain@.service");
        same("enable plain@x.service");
        same("disable plain@.service");
        same("enable per@x.service");
        same("enable tmpl@.service");
        same("enable tmpl@y.service");
        same("disable getty@.service");
        same("disable tmpl@.service");
    }

    @Test
    void anAliasOfATemplateGetsItsInstance() throws Exception {
        service("t@.service", "Alias=alias@.service\nWantedBy=multi-user.target\n");
        same("enable t@x.service");
        same("disable t@x.service");
        same("disable t@.service");
    }

    @Test
    void aUnitWithoutInstallSectionHasNoLinks() throws Exception {
        service("static.service", "");
        same("enable static.service");
        same("disable static.service");
        assertThat(install("enable", "static.service").carriesInstallInfo()).isFalse();
    }

    @Test
    void aMissingUnitIsRefused() throws Exception {
        same("enable nosuch.service");
        same("disable nosuch.service");
        same("reenable nosuch.service");
        link("etc/systemd/system/multi-user.target.wants/old.service", "/usr/lib/old.service");
        same("disable old.service");
    }

    @Test
    void masksAreMadeAndRemoved() throws Exception {
        service("a.service", "WantedBy=multi-user.target\n");
        same("enable a.service");
        same("mask a.service");
        same("mask a.service");
        same("disable a.service");
        same("unmask a.service");
        same("mask nosuch.service");
        same("unmask nosuch.service");
        same("mask --runtime a.service");
        same("unmask a.service");
        same("unmask --runtime a.service");
    }

    @Test
    void aFileIsNotReplacedByAMask() throws Exception {
        file("etc/systemd/system/own.service", "[Service]\nExecStart=/bin/true\n");
        same("mask own.service");
        link("etc/systemd/system/linked.service", "/opt/linked.service");
        same("mask linked.service");
        same("mask --force linked.service");
        same("unmask linked.service");
    }

    @Test
    void runtimeLinksAreOfTheirOwn() throws Exception {
        service("a.service", "WantedBy=multi-user.target\n");
        same("enable --runtime a.service");
        same("disable a.service");
        same("disable --runtime a.service");
    }

    @Test
    void filesElsewhereAreLinked() throws Exception {
        file(
                "opt/far.service",
                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n");
        same("link /opt/far.service");
        same("enable far.service");
        same("reenable far.service");
        same("disable far.service");
        same("enable /opt/far.service");
        same("enable /opt/far.service");
        same("disable far.service");
        same("link /opt/nosuch.service");
    }

    @Test
    void presetsDecide() throws Exception {
        for (String name : List.of("a", "b", "c", "d")) {
            service(name + ".service", "WantedBy=multi-user.target\n");
        }
        service("t@.service", "WantedBy=multi-user.target\n");
        file(
                "usr/lib/systemd/system-preset/90-vendor.preset",
                """
                # a comment
                enable a.service
                disable b.*
                ignore c.service
                enable t@.service one two
                disable *
                """);
        file("etc/systemd/system-preset/10-own.preset", "enable d.service\n");
        same("enable b.service");
        same("enable c.service");
        for (String name : List.of("a", "b", "c", "d", "t@")) {
            same("preset " + name + ".service");
        }
        file("etc/systemd/system-preset/90-vendor.preset", "disable a.service\n");
        same("preset a.service");
        same("preset b.service");
    }

    @Test
    void allUnitsAreMadeAsPresetsSay() throws Exception {
        service("a.service", "WantedBy=multi-user.target\nAlias=al.service\n");
        service("b.service", "WantedBy=multi-user.target\n");
        service("masked.service", "WantedBy=multi-user.target\n");
        service("static.service", "");
        service("t@.service", "WantedBy=multi-user.target\n");
        link("etc/systemd/system/masked.service", "/dev/null");
        link("etc/systemd/system/dangling.service", "/nowhere/dangling.service");
        link("etc/systemd/system/multi-user.target.wants/b.service", "/usr/lib/systemd/b.service");
        file(
                "usr/lib/systemd/system-preset/50.preset",
                "enable a.service\nenable t@.service one\ndisable *\n");
        same("preset-all");
        same("disable a.service");
        same("preset-all");
    }

    @Test
    void whatAdministratorsChangedIsReverted() throws Exception {
        service("a.service", "WantedBy=multi-user.target\nAlias=al.service\n");
        file("etc/systemd/system/a.service.d/own.conf", "[Service]\nNice=1\n");
        file("run/systemd/system/a.service.d/own.conf", "[Service]\nNice=2\n");
        file("etc/systemd/system.control/a.service.d/50-Nice.conf", "[Service]\nNice=3\n");
        file("usr/lib/systemd/system/a.service.d/vendor.conf", "[Service]\nNice=4\n");
        same("enable a.service");
        same("revert a.service");
        file("etc/systemd/system/a.service", "[Service]\nExecStart=/bin/true\n");
        same("revert a.service");
        same("mask --runtime a.service");
        same("revert a.service");
        file("etc/systemd/system/own.service", "[Service]\nExecStart=/bin/true\n");
        same("revert own.service nosuch.service");
        for (Path root : List.of(theirs, ours)) {
            try (Stream<Path> all = Files.walk(root)) {
                assertThat(all.filter(Files::isRegularFile).map(root::relativize))
                        .map(Path::toString)
                        .filteredOn(name -> !name.endsWith(".target"))
                        .containsExactlyInAnyOrder(
                                "usr/lib/systemd/system/a.service",
                                "usr/lib/systemd/system/a.service.d/vendor.conf",
                                "etc/systemd/system/own.service");
            }
        }
    }

    @Test
    void linksThatLeadNowhereAreBad() throws Exception {
        link("etc/systemd/system/gone.service", "/nowhere/gone.service");
        link("etc/systemd/system/loop.service", "loop.service");
        link("etc/systemd/system/alias.service", "missing.service");
        service("a.service", "WantedBy=multi-user.target\n");
        link("etc/systemd/system/other.service", "/usr/lib/systemd/system/a.service");
        service("t@.service", "WantedBy=multi-user.target\n");
        link("usr/lib/systemd/system/multi-user.target.wants/t@1.service", "../t@.service");
        same("enable gone.service");
        same("enable alias.service");
        same("disable gone.service");
        same("enable t@2.service");
    }

    @Test
    void theDefaultTargetIsSet() throws Exception {
        link("usr/lib/systemd/system/default.target", "graphical.target");
        same("set-default multi-user.target");
        same("set-default rescue.target");
        same("set-default nosuch.target");
        service("a.service", "");
        same("set-default a.service");
    }

    @Test
    void dependenciesAreAdded() throws Exception {
        service("a.service", "");
        service("b.service", "WantedBy=rescue.target\n");
        same("add-wants multi-user.target a.service b.service");
        same("add-requires multi-user.target a.service");
        same("disable a.service");
        same("disable b.service");
    }

    @Test
    void dropInsAddToTheInstallSection() throws Exception {
        service("a.service", "WantedBy=multi-user.target\n");
        file("etc/systemd/system/a.service.d/more.conf", "[Install]\nWantedBy=graphical.target\n");
        same("enable a.service");
        same("disable a.service");
    }

    @Test
    void linksThatLeadElsewhereAreReplacedOnlyByForce() throws Exception {
        service("a.service", "Alias=x.service\n");
        link("etc/systemd/system/x.service", "/usr/lib/systemd/system/other.service");
        same("enable a.service");
        same("enable --force a.service");
        file("etc/systemd/system/b.service", "[Install]\nAlias=y.service\n");
        file("etc/systemd/system/y.service", "[Service]\nExecStart=/bin/true\n");
        same("enable b.service");
        same("enable --force b.service");
    }

    @Test
    void ownFilesComeFirst() throws Exception {
        service("a.service", "WantedBy=multi-user.target\n");
        same("enable a.service");
        file(
                "etc/systemd/system/a.service",
                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=graphical.target\n");
        same("enable a.service");
        same("reenable a.service");
        same("disable a.service");
    }

    /** Random units, and a random sequence of operations on them. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 4, 14, 24, 29, 32})
    void anySequenceMakesTheSameLinks(long seed) throws Exception {
        Random random = new Random(seed);
        List<String> names =
                List.of("a.service", "b.service", "c.socket", "t@.service", "d.target");
        List<String> others = List.of("multi-user.target", "a.service", "e.target", "t@x.service");
        for (String name : names) {
            StringBuilder text = new StringBuilder("[Unit]\nDescription=x\n[Install]\n");
            for (String key : List.of("WantedBy", "RequiredBy", "Also", "Alias")) {
                if (random.nextBoolean()) {
                    String type = name.substring(name.lastIndexOf('.'));
                    String value =
                            key.equals("Alias")
                                    ? "alias" + random.nextInt(2) + type
                                    : key.equals("Also")
                                            ? pick(random, names)
                                            : pick(random, others);
                    text.append(key).append('=').append(value).append('\n');
                }
            }
            if (name.contains("@") && random.nextBoolean()) {
                text.append("DefaultInstance=x\n");
            }
            unit(name, text.toString());
        }
        List<String> used = new ArrayList<>(names);
        used.addAll(List.of("t@x.service", "t@y.service", "nosuch.service"));
        List<String> verbs =
                List.of(
                        "enable",
                        "enable",
                        "enable --force",
                        "disable",
                        "reenable",
                        "mask",
                        "unmask",
                        "mask --runtime",
                        "unmask --runtime",
                        "preset");
        for (int i = 0; i < 12; i++) {
            same(pick(random, verbs) + " " + pick(random, used));
        }
    }

    private static String pick(Random random, List<String> of) {
        return of.get(random.nextInt(of.size()));
    }
}
