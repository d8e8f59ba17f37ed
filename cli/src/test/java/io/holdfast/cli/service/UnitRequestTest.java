package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what the commands for units report: each ends at the cause, in one line. */
@Timeout(180)
class UnitRequestTest {
    private static final String SLEEP = "[Service]\nExecStart=/bin/sleep 1000\n";

    @TempDir private Path folder;
    private Path units;
    private String runtime;
    private CommandProcess up;

    @BeforeEach
    void start() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        units = Files.createDirectory(folder.resolve("units"));
        runtime = folder.resolve("run").toString();
        unit("hf-a.service", SLEEP);
        unit("hf-b.service", SLEEP);
        up =
                CommandProcess.start(
                        "up",
                        "--no-keeper",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hfrequest" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "hf-a",
                        "hf-b");
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

    private void unit(String name, String content) throws IOException {
        Path _ =
                Files.writeString(
                        units.resolve(name),
                        content.startsWith("[Unit]")
                                ? content.replaceFirst("\n", "\nDefaultDependencies=no\n")
                                : "[Unit]\nDefaultDependencies=no\n" + content);
    }

    private Invocation command(String verb, String... rest) {
        List<String> words = new ArrayList<>(List.of(verb, "--runtime-dir", runtime));
        words.addAll(List.of(rest));
        return Invocation.of(words.toArray(String[]::new));
    }

    private static Invocation failure(String error) {
        return new Invocation(1, "", "holdfast: " + error + "\n");
    }

    private static Invocation warning(String text) {
        return new Invocation(0, "", "holdfast: warning: " + text + "\n");
    }

    // ---- the cause

    @Test
    void aMissingRequiredUnitIsNamed() throws Exception {
        unit("hf-d.service", "[Unit]\nRequires=hf-nosuch.service\n" + SLEEP);
        unit("hf-e.service", "[Unit]\nRequires=hf-d.service\nAfter=hf-d.service\n" + SLEEP);
        String missing = "Requires=hf-nosuch.service: there is no such unit";

        assertThat(command("status", "hf-d").out()).contains("Missing: " + missing);
        assertThat(command("start", "hf-d").err())
                .startsWith("holdfast: cannot start hf-d.service: dependency failed: " + missing);
        assertThat(command("status", "hf-d").out())
                .contains("Reason: " + missing, "Missing: " + missing);
        assertThat(command("status", "--warnings", "hf-d").out()).contains(missing);
        assertThat(command("start", "hf-e").err()).contains("hf-d.service: " + missing);
    }

    @Test
    void theFailedUnitThatAnotherRequiresIsNamed() throws Exception {
        unit("hf-f.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
        unit("hf-g.service", "[Unit]\nRequires=hf-f.service\nAfter=hf-f.service\n" + SLEEP);

        Invocation start = command("start", "hf-g");

        assertThat(start.code()).isEqualTo(1);
        assertThat(start.err())
                .startsWith(
                        "holdfast: cannot start hf-g.service: dependency failed: hf-f.service (exited with status 1/FAILURE)")
                .endsWith("; see: holdfast status hf-g.service\n");
        assertThat(command("status", "hf-g").out())
                .contains("dependency failed: hf-f.service (exited with status 1/FAILURE)");
    }

    @Test
    void aReloadThatIsNotPossibleHasOneCause() throws Exception {
        unit("hf-r.service", "[Service]\nExecStart=/bin/sleep 1000\nExecReload=/bin/true\n");

        assertThat(command("reload", "hf-r"))
                .isEqualTo(failure("cannot reload hf-r.service: it is not running"));
        assertThat(command("reload", "hf-a"))
                .isEqualTo(failure("cannot reload hf-a.service: it has no ExecReload="));
    }

    @Test
    void theMistakeInAUnitFileIsTheReason() throws Exception {
        unit("hf-n.service", "[Service]\nRestart=always\n");

        Invocation start = command("start", "hf-n");

        assertThat(start.code()).isEqualTo(1);
        assertThat(start.err())
                .startsWith("holdfast: cannot start hf-n.service: ")
                .contains("Exec");
        assertThat(start.err()).doesNotContain("see:").hasLineCount(1);
    }

    @Test
    void aConditionThatIsNotMetIsReported() throws Exception {
        unit("hf-c.service", "[Unit]\nConditionPathExists=/nowhere/hf\n" + SLEEP);

        Invocation start = command("start", "hf-c");

        assertThat(start.code()).isZero();
        assertThat(start.err())
                .startsWith("holdfast: warning: hf-c.service: not started, condition not met: ")
                .contains("ConditionPathExists=/nowhere/hf");
    }

    @Test
    void aManagerWithoutTheStackSaysHowToGetIt() {
        assertThat(command("start", "holdfast.target").err())
                .startsWith("holdfast: cannot start holdfast.target: this manager was started with")
                .endsWith("start it with: holdfast up holdfast.target UNIT...\n");
    }

    // ---- warnings

    @Test
    void aChangedUnitFileIsReportedUntilItIsLoaded() throws Exception {
        String changed = "have changed on disk; to load them run: holdfast daemon-reload";
        assertThat(command("status", "hf-a").out()).doesNotContain("changed");
        unit("hf-a.service", SLEEP + "Nice=1\n");

        assertThat(command("status", "hf-a").out()).contains("Changed: the unit files " + changed);
        assertThat(command("status", "--json", "hf-a").out()).contains("\"outdated\":true");
        assertThat(command("restart", "hf-a"))
                .isEqualTo(warning("hf-a.service: its unit files " + changed));

        assertThat(command("daemon-reload").code()).isZero();
        assertThat(command("status", "hf-a").out()).doesNotContain("changed");
        assertThat(command("restart", "hf-a")).isEqualTo(new Invocation(0, "", ""));
    }

    @Test
    void aStopWarnsOfTheSocketThatCanStartTheUnitAgain() throws Exception {
        unit("hf-s.socket", "[Socket]\nListenStream=" + folder.resolve("s") + "\n");
        unit("hf-s.service", SLEEP);
        assertThat(command("start", "hf-s.socket", "hf-s.service").code()).isZero();

        assertThat(command("stop", "hf-s.service"))
                .isEqualTo(
                        warning(
                                "hf-s.service: stopped, but it can be started again by:"
                                        + " hf-s.socket"));
        assertThat(command("start", "hf-s.service").code()).isZero();
        assertThat(command("stop", "hf-s.service", "hf-s.socket"))
                .isEqualTo(new Invocation(0, "", ""));
    }

    // ---- patterns

    @Test
    void aPatternMatchesLoadedUnitsForEachVerb() {
        Invocation done = new Invocation(0, "", "");
        assertThat(command("restart", "hf-?")).isEqualTo(done);
        assertThat(command("kill", "--signal", "CONT", "hf-a", "hf-[b]")).isEqualTo(done);
        assertThat(command("reset-failed", "hf-*")).isEqualTo(done);
        assertThat(command("stop", "hf-*")).isEqualTo(done);
        assertThat(command("status", "hf-a", "hf-b").out()).doesNotContain("active (running)");
        assertThat(command("reload", "hf-x*")).isEqualTo(failure("no loaded unit matches hf-x*"));
    }

    @Test
    void aUnitWithoutProcessesKeepsNoOtherFromItsSignal() throws Exception {
        assertThat(command("stop", "hf-a").code()).isZero();

        assertThat(command("kill", "--signal", "KILL", "hf-a", "hf-b"))
                .isEqualTo(failure("hf-a.service has no processes"));
        String _ = up.await("hf-b.service: its main process killed by SIGKILL");
    }

    @Test
    void theUnitsThatFailedAreListed() throws Exception {
        unit("hf-f.service", "[Service]\nType=oneshot\nExecStart=/bin/false\n");
        assertThat(command("status", "--failed"))
                .isEqualTo(new Invocation(0, "no unit has failed\n", ""));
        assertThat(command("start", "hf-f").code()).isEqualTo(1);

        assertThat(command("status", "--failed").out())
                .hasLineCount(1)
                .startsWith("× hf-f.service");
        assertThat(command("status").out()).contains("● hf-a.service", "× hf-f.service");
    }
}
