package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code up --detach}. */
@Timeout(180)
class DetachedManagerTest {
    private static final Pattern STOP =
            Pattern.compile("stop it with: holdfast (?<command>signal (?<process>\\S+) TERM)");

    @TempDir private Path folder;
    private Path units;
    private Path log;
    private final List<PidFd> managers = new ArrayList<>();

    @BeforeEach
    void layOut() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        units = Files.createDirectory(folder.resolve("units"));
        log = folder.resolve("logs/up.log");
        Files.writeString(
                units.resolve("hf-a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n");
    }

    @AfterEach
    void endWhatATestThatFailedHasLeft() throws Exception {
        for (PidFd manager : managers) {
            try (manager) {
                boolean _ = manager.signal(io.holdfast.core.Signal.TERM);
                manager.await();
            }
        }
    }

    private Program up(String... names) throws Exception {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "up",
                                "--detach",
                                "--log",
                                log.toString(),
                                "--runtime-dir",
                                folder.resolve("run").toString(),
                                "--slice",
                                "hfdetach" + ProcessHandle.current().pid() + ".slice",
                                "--units",
                                units.toString()));
        words.addAll(List.of(names));
        Program up = Program.run(words.toArray(String[]::new));
        Matcher stop = STOP.matcher(up.out());
        if (stop.find()) {
            managers.add(PidFd.restore(ProcessId.parse(stop.group("process"))));
        }
        return up;
    }

    private Invocation status() {
        return Invocation.of("status", "--runtime-dir", folder.resolve("run").toString(), "hf-a");
    }

    @Test
    void theManagerRunsInTheBackgroundUntilItIsStoppedAsItSays() throws Exception {
        Program up = up("hf-a");

        assertThat(up.err()).isEmpty();
        assertThat(up.code()).isZero();
        assertThat(up.out()).startsWith("running in the background as process ").contains("" + log);
        assertThat(status().out()).contains("active (running)");
        assertThat(log).content().contains("hf-a.service: started", "holdfast: ready");
        Matcher stop = STOP.matcher(up.out());
        assertThat(stop.find()).isTrue();
        assertThat(Invocation.of(stop.group("command").split(" ")).code()).isZero();
        managers.getFirst().await();
        assertThat(status().err()).contains("no manager is running");
    }

    @Test
    void aManagerThatCannotStartGivesItsExitCodeAndItsOutput() throws Exception {
        Program up = up("hf-nosuch");

        assertThat(up.code()).isEqualTo(1);
        assertThat(up.out()).contains("cannot start hf-nosuch.service: there is no such unit");
        assertThat(up.err()).endsWith("its output is in " + log + "\n").hasLineCount(1);
    }

    @Test
    void aUnitThatIsNotStartedBesideOthersIsReported() throws Exception {
        Program up = up("hf-a", "hf-nosuch");

        assertThat(up.code()).isEqualTo(1);
        assertThat(up.out()).contains("running in the background");
        assertThat(up.err())
                .startsWith("holdfast: cannot start hf-nosuch.service: there is no such unit")
                .hasLineCount(1);
        assertThat(status().code()).isZero();
    }

    @Test
    void aManagerThatRunsThereIsNamedWithTheCommandThatReachesIt() throws Exception {
        assertThat(up("hf-a").code()).isZero();
        Path run = folder.resolve("run");

        Program second = up("hf-a");

        assertThat(second.code()).isEqualTo(1);
        assertThat(second.out())
                .hasLineCount(1)
                .contains(
                        "a manager is already running at "
                                + run
                                + "; to start units in it use: holdfast start --runtime-dir "
                                + run
                                + " hf-a;");
    }
}
