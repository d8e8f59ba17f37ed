package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Cgroup;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A manager by the command, in a JVM of its own, and the commands that talk to it. */
@Timeout(180)
class UpTest {
    @TempDir private Path folder;
    private Path units;
    private String runtime;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        units = Files.createDirectory(folder.resolve("units"));
        runtime = folder.resolve("run").toString();
        slice = "hfup" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
        unit(
                "a",
                "Restart=on-failure\nRestartSec=0\nExecStart=/bin/sh -c 'echo up; while true; do sleep 1000; done'");
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    private void unit(String name, String service) throws IOException {
        Files.writeString(
                units.resolve(name + ".service"),
                "[Unit]\nDescription=Unit "
                        + name
                        + "\nDefaultDependencies=no\n[Service]\n"
                        + service
                        + "\n");
    }

    private CommandProcess up(String... names) throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "up",
                                "--runtime-dir",
                                runtime,
                                "--slice",
                                slice,
                                "--units",
                                units.toString()));
        words.addAll(List.of(names));
        return CommandProcess.start(words.toArray(String[]::new));
    }

    private Invocation command(String verb, String... rest) {
        List<String> words = new ArrayList<>(List.of(verb, "--runtime-dir", runtime));
        words.addAll(List.of(rest));
        return Invocation.of(words.toArray(String[]::new));
    }

    @Test
    void theCommandsTalkToIt() throws Exception {
        unit("b", "ExecStart=/bin/sleep 1000");
        try (CommandProcess up = up("a")) {
            up.await("holdfast: ready");
            up.await("a.service | up");

            Invocation one = command("status", "a");
            assertThat(one.code()).isZero();
            assertThat(one.out())
                    .contains("● a.service - Unit a", "active (running)", "/bin/sh -c echo up;");
            assertThat(one.out()).contains("\nup\n");
            assertThat(command("start", "b")).isEqualTo(new Invocation(0, "", ""));
            assertThat(command("status").out().lines())
                    .anyMatch(line -> line.matches("● a\\.service +active +running +Unit a"))
                    .anyMatch(line -> line.matches("● b\\.service +active +running +Unit b"));
            assertThat(command("status", "--json", "a").out())
                    .startsWith("{")
                    .contains("\"activeState\":\"active\"");

            assertThat(command("kill", "--signal", "KILL", "a").code()).isZero();
            up.await("a.service | up", 2);
            assertThat(command("status", "a").out()).contains("Restarts: 1");
            assertThat(command("restart", "a").code()).isZero();
            assertThat(command("stop", "a", "b").code()).isZero();
            assertThat(command("status", "a").code()).isEqualTo(3);

            Invocation unknown = command("status", "nowhere");
            assertThat(unknown.code()).isEqualTo(4);
            assertThat(unknown.out()).contains("not-found");
            assertThat(command("start", "nowhere").err())
                    .startsWith("holdfast: cannot start nowhere.service: invalid");
            assertThat(command("kill", "a").err()).isEqualTo("holdfast: a has no processes\n");
            assertThat(command("kill", "-s", "NONSENSE", "a").code()).isEqualTo(1);

            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        Invocation gone = command("status");
        assertThat(gone.code()).isEqualTo(1);
        assertThat(gone.err().lines()).singleElement().asString().contains("no manager is at");
    }

    @Test
    void aSecondOneInTheSameFolderIsRefusedAndTheFirstIsUndisturbed() throws Exception {
        try (CommandProcess first = up()) {
            first.await("ready");
            try (CommandProcess second = up("a")) {
                assertThat(second.exitCode()).isEqualTo(1);
                assertThat(second.lines())
                        .singleElement()
                        .asString()
                        .startsWith("holdfast: ")
                        .contains(runtime, "another manager runs there");
            }
            assertThat(command("start", "a").code()).isZero();
            first.signal("INT");
            assertThat(first.exitCode()).isZero();
            assertThat(first.lines()).anyMatch(line -> line.contains("a.service: stopped"));
        }
    }

    @Test
    void itEndsWithOneWhenNothingCouldBeStarted() throws Exception {
        unit("bad", "ExecStart=/nowhere/program");
        try (CommandProcess up = up("bad", "nowhere")) {
            assertThat(up.exitCode()).isEqualTo(1);
            assertThat(up.lines())
                    .anyMatch(line -> line.contains("/nowhere/program"))
                    .contains("holdfast: cannot start bad.service: failed")
                    .contains("holdfast: cannot start nowhere.service: invalid")
                    .noneMatch(line -> line.contains("ready"));
        }
    }

    @Test
    void whatRunsGoesOnWhenSomethingElseCouldNotBeStarted() throws Exception {
        try (CommandProcess up = up("a", "nowhere")) {
            up.await("cannot start nowhere.service: invalid");
            up.await("a.service | up");
            assertThat(command("status", "a").code()).isZero();
            up.signal("TERM");
            assertThat(up.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void aSecondInterruptHurries() throws Exception {
        unit(
                "stubborn",
                "ExecStart=/bin/sh -c \"trap 'echo no' TERM; echo up; while true; do sleep 1000 & wait; done\"\nTimeoutStopSec=1h\nKillMode=process");
        try (CommandProcess up = up("stubborn")) {
            up.await("stubborn.service | up");
            up.signal("INT");
            up.await("stubborn.service | no");
            up.signal("INT");
            int code = up.exitCode();
            assertThat(code).isZero();
            assertThat(up.lines()).contains("holdfast: stopping at once");
        }
    }

    @Test
    void aPlainUserHasOneWithoutCgroupsAndIsToldWhatIsLost() throws Exception {
        assumeTrue(System.getProperty("user.name").equals("root"), "to become a plain user");
        unit(
                "b",
                "Type=notify\nExecStart=/usr/bin/python3 -c 'import os, socket, signal; s ="
                        + " socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
                        + " s.connect(os.environ[\"NOTIFY_SOCKET\"]); s.send(b\"READY=1\");"
                        + " signal.pause()'");
        List<String> nobody =
                List.of(
                        "setpriv",
                        "--reuid=nobody",
                        "--regid=nogroup",
                        "--clear-groups",
                        "env",
                        "HOME=" + folder);
        try (CommandProcess up =
                CommandProcess.start(
                        nobody,
                        readableByAll(CommandProcess.classPath()),
                        "up",
                        "--runtime-dir",
                        runtime,
                        "--units",
                        units.toString(),
                        "a",
                        "b")) {
            assertThat(up.await("no cgroups for services")).contains("are not tracked");
            up.await("holdfast: ready");
            Invocation status = command("status", "a");
            assertThat(status.out()).contains("active (running)").doesNotContain("Cgroup");

            assertThat(command("kill", "-s", "KILL", "a").code()).isZero();
            up.await("a.service | up", 2);
            assertThat(command("status", "a").out()).contains("Restarts: 1");
            assertThat(command("stop", "a").code()).isZero();
            assertThat(command("status", "a").code()).isEqualTo(3);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /** A copy of what is on the class path, for a user who cannot look into the home of another. */
    private String readableByAll(String classPath) throws IOException {
        List<String> copies = new ArrayList<>();
        int number = 0;
        for (String entry : classPath.split(File.pathSeparator)) {
            Path from = Path.of(entry);
            Path to = folder.resolve("lib" + number++ + "-" + from.getFileName());
            if (!Files.exists(from) || from.endsWith("test-classes")) {
                continue;
            }
            try (Stream<Path> files = Files.walk(from)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Path copy = to.resolve(from.relativize(file).toString());
                    if (Files.isDirectory(file)) {
                        Files.createDirectories(copy);
                    } else {
                        Files.copy(file, file.equals(from) ? to : copy);
                    }
                }
            }
            copies.add(to.toString());
        }
        return String.join(File.pathSeparator, copies);
    }
}
