package io.holdfast.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Program;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests how a daemon handles inherited state, and what remains when it is killed. */
@Timeout(180)
class DaemonProcessTest {
    private static final int GROUP_AND_OTHERS_WRITE = 022;
    private static final int SOCKET = 0140000;
    private static final int LINK = 0120000;
    private static final int TYPE = 0170000;

    @TempDir private Path folder;
    private Path units = Path.of("/");
    private final List<String> slices = new ArrayList<>();

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        units = Files.createDirectory(folder.resolve("units"));
        Files.setAttribute(units, "unix:mode", 0755);
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).noneMatch(slices::contains);
        }
    }

    private void service(String name, String... lines) throws IOException {
        Files.writeString(
                units.resolve(name + ".service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\n" + String.join("\n", lines) + "\n");
    }

    private Path runtime() {
        return folder.resolve("run");
    }

    private String freshSlice() {
        slices.add("hfdaemon" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice");
        return slices.getLast();
    }

    private List<String> words(String slice, String... names) {
        List<String> words = new ArrayList<>(List.of("up", "--runtime-dir", runtime().toString()));
        words.addAll(List.of("--slice", slice, "--units", units.toString()));
        words.addAll(List.of(names));
        return words;
    }

    /** Starts a manager from a shell, after these commands. */
    private CommandProcess up(String commands, String... names) throws IOException {
        List<String> shell = List.of("/bin/sh", "-c", commands + "; exec \"$@\"", "sh");
        return CommandProcess.start(shell, words(freshSlice(), names).toArray(String[]::new));
    }

    private static Map<Path, Integer> modes(Path top) throws IOException {
        Map<Path, Integer> modes = new TreeMap<>();
        try (Stream<Path> files = Files.walk(top)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Object mode = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
                modes.put(file, (Integer) mode);
            }
        }
        return modes;
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "077"})
    void theUmaskOfWhoeverStartedItIsNotThatOfItsFilesAndServices(String umask) throws Exception {
        service(
                "a",
                "RuntimeDirectory=hf-daemon-test",
                "ExecStart=/bin/sh -c 'umask; exec sleep 1000'");
        service("b", "UMask=0027", "ExecStart=/bin/sh -c 'umask; exec sleep 1000'");
        try (CommandProcess up = up("umask " + umask, "a", "b")) {
            up.await("a.service | 0022");
            up.await("b.service | 0027");
            up.await("holdfast: ready");
            assertThat(modes(runtime()))
                    .allSatisfy((file, mode) -> {
                        boolean hasNoMode = (mode & TYPE) == SOCKET || (mode & TYPE) == LINK;
                        assertThat(hasNoMode || (mode & GROUP_AND_OTHERS_WRITE) == 0)
                                .as("%s %o", file, mode)
                                .isTrue();
                    });
            assertThat(Files.getAttribute(runtime(), "unix:mode")).isEqualTo(0040755);
            assertThat(Files.getAttribute(runtime().resolve("notify-sockets"), "unix:mode"))
                    .isEqualTo(0040711);
            assertThat(Files.getAttribute(runtime().resolve("io.holdfast.Manager"), "unix:mode"))
                    .isEqualTo(0140666);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void theServicesOfAUserHaveTheUmaskOfHisSession() throws Exception {
        service("a", "ExecStart=/bin/sh -c 'umask; exec sleep 1000'");
        List<String> by = List.of("/bin/sh", "-c", "umask 037; exec \"$@\"", "sh");
        try (CommandProcess up =
                CommandProcess.startAsNobody(
                        folder,
                        by,
                        "up",
                        "--runtime-dir",
                        runtime().toString(),
                        "--units",
                        units.toString(),
                        "a")) {
            up.await("a.service | 0037");
            up.await("holdfast: ready");
            assertThat(Files.getAttribute(runtime(), "unix:mode")).isEqualTo(0040755);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aRuntimeFolderThatOthersMayWriteIsRefusedInOneLine() throws Exception {
        Files.setAttribute(Files.createDirectory(runtime()), "unix:mode", 0777);
        service("a", "ExecStart=/bin/true");
        try (CommandProcess up = up(":", "a")) {
            assertThat(up.exitCode()).isEqualTo(1);
            assertThat(up.lines())
                    .containsExactly(
                            "holdfast: open "
                                    + runtime()
                                    + ": EPERM (operation not permitted); other users may write to"
                                    + " it (mode 0777); remove it with all that is in it, or choose"
                                    + " another folder");
        }
    }

    @Test
    void signalsThatWereIgnoredAreReceived() throws Exception {
        service(
                "a",
                "IgnoreSIGPIPE=no",
                "ExecStart=/bin/sh -c 'grep SigIgn /proc/self/status; exec sleep 1000'");
        try (CommandProcess up = up("trap '' HUP INT TERM", "a")) {
            up.await("holdfast: ready");
            assertThat(up.await("a.service | SigIgn")).endsWith("0000000000000000");
            up.signal("HUP");
            up.await("holdfast: reloaded the unit files of 1 unit");
            up.signal("INT");
            up.await("holdfast: stopping");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    @Needs(programs = "script")
    void theEndOfItsTerminalStopsIt() throws Exception {
        service("a", "ExecStart=/bin/sleep 1000", "ExecStop=/usr/bin/touch " + folder + "/stopped");
        List<String> java =
                Program.command(List.of(), words(freshSlice(), "a").toArray(String[]::new));
        String line = String.join(" ", java.stream().map(word -> "'" + word + "'").toList());
        // the tests may run under nohup(1)
        Process terminal =
                new ProcessBuilder(
                                "env",
                                "--default-signal=HUP",
                                "script",
                                "-qec",
                                "exec " + line,
                                "/dev/null")
                        .redirectErrorStream(true)
                        .redirectInput(ProcessBuilder.Redirect.PIPE)
                        .start();
        try {
            var screen = terminal.inputReader();
            for (String said = screen.readLine(); !said.contains("ready"); ) {
                said = screen.readLine();
            }
        } finally {
            terminal.destroyForcibly();
        }
        Await.until(() -> Files.exists(folder.resolve("stopped")));
        Await.until(() -> !Files.exists(runtime().resolve("lock")));
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void whatAKilledManagerLeftInTmpIsRemovedByTheNextOnceItsServicesHaveEnded() throws Exception {
        String unit = "hfleft" + System.nanoTime();
        service(unit, "PrivateTmp=yes", "ExecStart=/bin/sleep 1000");
        service("b", "ExecStart=/bin/sleep 1000");
        List<Path> left;
        try (CommandProcess up = up(":", "--no-keeper", unit)) {
            up.await("holdfast: ready");
            left = privateFolders(unit);
            up.signal("KILL");
            assertThat(up.exitCode()).isEqualTo(128 + 9);
        }
        assertThat(left).hasSize(2).allMatch(Files::isDirectory);
        try (Cgroup own = Cgroup.own();
                Cgroup slice = own.child(slices.getFirst())) {
            try (CommandProcess up = up(":", "b")) {
                up.await("holdfast: ready");
                assertThat(left).as("its process is alive").allMatch(Files::isDirectory);
                up.signal("TERM");
                assertThat(up.exitCode()).isZero();
            }
            slice.kill();
            assertThat(slice.awaitEmpty(java.time.Duration.ofSeconds(30))).isTrue();
            slice.removeAll();
        }
        try (CommandProcess up = up(":", "b")) {
            up.await("holdfast: ready");
            // any manager that starts on this machine may be the one that removes them
            Await.until(() -> left.stream().noneMatch(Files::exists));
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    private static List<Path> privateFolders(String unit) throws IOException {
        List<Path> found = new ArrayList<>();
        for (Path base : List.of(Path.of("/tmp"), Path.of("/var/tmp"))) {
            try (Stream<Path> files = Files.list(base)) {
                files.filter(file -> file.toString().contains("holdfast-private-"))
                        .filter(file -> file.toString().contains("-" + unit + "-"))
                        .forEach(found::add);
            }
        }
        return found;
    }
}
