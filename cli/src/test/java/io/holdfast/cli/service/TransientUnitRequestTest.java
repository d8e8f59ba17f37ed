package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code holdfast run --service} and {@code --scope}: commands as units of the manager. */
@Timeout(180)
class TransientUnitRequestTest {
    @TempDir private Path folder;
    private String runtime;
    private CommandProcess up;

    @BeforeEach
    void start() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path units = Files.createDirectory(folder.resolve("units"));
        runtime = folder.resolve("run").toString();
        Path _ =
                Files.writeString(
                        units.resolve("hf-a.service"),
                        "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n");
        up =
                CommandProcess.start(
                        "up",
                        "--no-keeper",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hfrun" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "hf-a");
        up.await("holdfast: ready");
    }

    @AfterEach
    void stop() throws Exception {
        try {
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        } finally {
            up.close();
        }
    }

    private String[] words(String... words) {
        List<String> all = new ArrayList<>(List.of("run", "--runtime-dir", runtime));
        all.addAll(List.of(words));
        return all.toArray(String[]::new);
    }

    private Program run(String... words) throws Exception {
        return Program.run(words(words));
    }

    private Invocation status(String unit) {
        return Invocation.of("status", "--runtime-dir", runtime, unit);
    }

    @Test
    void aServiceHasTheStreamsOfTheCallerAndItsExitCodeComesBack() throws Exception {
        Process run =
                Program.start(
                        words(
                                "--service",
                                "--unit=hf-r",
                                "--setenv=A=x y",
                                "--cwd=/usr",
                                "--limit=NOFILE=300:400",
                                "--property=TimeoutStopSec=7s",
                                "--",
                                "sh",
                                "-c",
                                "cat; echo \"$A|$(pwd)|$(ulimit -Sn) $(ulimit -Hn)\" >&2; exit 7"));
        try (var in = run.outputWriter()) {
            in.write("good");
        }

        assertThat(Program.end(run)).isEqualTo(new Program(7, "good", "x y|/usr|300 400\n"));
        assertThat(status("hf-r").out()).contains("not-found");
        assertThat(run("--service", "--", "sh", "-c", "kill -TERM $$").code()).isEqualTo(128 + 15);
    }

    @Test
    void aDetachedServiceRunsOn() throws Exception {
        assertThat(run("--service", "--detach", "--unit", "hf-d.service", "sleep", "1000"))
                .isEqualTo(new Program(0, "hf-d.service\n", ""));

        assertThat(status("hf-d").out()).contains("sleep 1000", "active (running)");
        assertThat(run("--service", "--unit=hf-d", "true").err())
                .contains("hf-d.service was already loaded");
        assertThat(Invocation.of("stop", "--runtime-dir", runtime, "hf-d").code()).isZero();
    }

    @Test
    void aScopeRunsBelowTheCallerAndIsAUnitOfTheManager() throws Exception {
        Program ran =
                run(
                        "--scope",
                        "--unit=hf-s",
                        "--setenv=A=b",
                        "--",
                        "sh",
                        "-c",
                        "echo $A; cat /proc/self/cgroup; exit 3");

        assertThat(ran.code()).isEqualTo(3);
        assertThat(ran.out()).startsWith("b\n").contains("/hf-s.scope\n");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void whatCannotBeStartedIsSaidInOneLine() throws Exception {
        assertThat(run("--service", "--unit=hf-n", "--", "hf-nosuch").code()).isIn(125, 127);
        assertThat(run("--service", "--property=CPUWeight=many", "true"))
                .satisfies(ran -> assertThat(ran.code()).isEqualTo(2))
                .satisfies(ran -> assertThat(ran.err()).contains("CPUWeight=many: "));
        assertThat(run("--property=CPUWeight=5", "true").err())
                .contains("--property needs --service or --scope");
        assertThat(Program.run("run", "--runtime-dir", "/nowhere", "--scope", "true").err())
                .contains("no manager of yours is running");
    }
}
