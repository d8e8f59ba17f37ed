package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Services that leave a daemon behind and exit: which process is the main process, and who decides
 * that.
 */
@Timeout(120)
class ForkingServiceTest {
    /** Runs work in a daemon that the caller defines; the first process exits at once. */
    private static final String DAEMON =
            """
            def daemon(work):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        work()
                    os._exit(0)
            def pid_file(path, number=None):
                with open(path + ".new", "w") as f:
                    f.write("%d\\n" % (number or os.getpid()))
                os.rename(path + ".new", path)
            """;

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void forking(String name, String script, String... lines) throws Exception {
        stage.service(
                name,
                "Type=forking\nExecStart=" + stage.python(name, DAEMON + script),
                String.join("\n", lines));
    }

    private String pidFile() {
        return folder.resolve("made/later/pid").toString();
    }

    @Test
    void itsOnlyProcessIsTheMainOne() throws Exception {
        forking("a", "daemon(signal.pause)\nos.wait()\n");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");
        try (PidFd main = stage.hold("a")) {
            main.signal(Signal.KILL);
            stage.happenings().awaitRest("a.service");
            assertThat(stage.state("a")).isEqualTo("failed/failed signal");
            assertThat(stage.status("a").mainExit()).contains(new Exit.Killed(Signal.KILL, false));
        }
    }

    @Test
    void itsOnlyProcessWithoutAParentIsTheMainOneWhateverChildrenItHas() throws Exception {
        forking(
                "a",
                """
                def main():
                    for i in range(3):
                        if os.fork() == 0:
                            signal.pause()
                    say("main %d" % os.getpid())
                    os.kill(first, signal.SIGUSR1)
                    signal.pause()
                first = os.getpid()
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
                daemon(main)
                signal.sigwait({signal.SIGUSR1})
                os.wait()
                """);

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "main " + stage.main("a").pid());
        assertThat(stage.status("a").processes()).hasSize(4);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void itFailsAtOnceIfNothingIsLeftToWriteThePidFile() throws Exception {
        stage.service("a", "Type=forking", "PIDFile=" + pidFile(), "ExecStart=/bin/true");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed protocol");
        assertThat(stage.status("a").failure().orElseThrow()).contains("written the PID file");
    }

    @Test
    void itsMainProcessIsReapedWhileTheStopCommandWaitsForThat() throws Exception {
        forking(
                "a",
                """
                def main():
                    pid_file("%s")
                    signal.pause()
                daemon(main)
                """
                        .formatted(pidFile()),
                "PIDFile=" + pidFile(),
                "ExecStop=/bin/sh -c 'kill $MAINPID; while kill -0 $MAINPID; do sleep .01; done'");
        Files.createDirectories(folder.resolve("made/later"));

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void itsPidFileNamesTheMainProcessThoughItComesLater() throws Exception {
        forking(
                "a",
                """
                def main():
                    for i in range(2):
                        if os.fork() == 0:
                            signal.pause()
                    time.sleep(0.2)
                    os.makedirs("%1$s", exist_ok=True)
                    pid_file("%1$s/pid")
                    say("main %%d" %% os.getpid())
                    signal.pause()
                daemon(main)
                """
                        .formatted(folder.resolve("made/later")),
                "PIDFile=" + pidFile());

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "main " + stage.main("a").pid());
        assertThat(stage.status("a").processes()).hasSize(3);
        assertThat(Path.of(pidFile())).exists();
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(Path.of(pidFile())).as("it would name somebody else").doesNotExist();
    }

    @Test
    void aPidFileThatNamesAProcessOfOthersIsNotBelieved() throws Exception {
        Files.createDirectories(folder.resolve("made/later"));
        Files.writeString(Path.of(pidFile()), "1\n");
        stage.service(
                "a",
                "Type=forking",
                "TimeoutStartSec=2s",
                "PIDFile=" + pidFile(),
                "ExecStart=/bin/sh -c 'sleep 1000 &'");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.happenings().await(pidFile() + " names process 1"))
                .contains("which is not of this unit; still waiting");
        assertThat(stage.status("a").mainProcess()).isEmpty();
        assertThat(stage.status("a").processes()).isEmpty();
    }

    @Test
    void aStalePidFileIsWaitedPast() throws Exception {
        Files.createDirectories(folder.resolve("made/later"));
        Files.writeString(Path.of(pidFile()), "4194303\n"); // unused: the largest possible
        forking(
                "a",
                """
                def main():
                    time.sleep(0.1)
                    pid_file("%s")
                    signal.pause()
                daemon(main)
                """
                        .formatted(pidFile()),
                "PIDFile=" + pidFile());

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a").pid())
                .isEqualTo(Integer.parseInt(Files.readString(Path.of(pidFile())).strip()));
    }

    @Test
    void withoutAMainProcessItLivesAsLongAsAnyOfItsProcesses() throws Exception {
        forking(
                "a",
                """
                def work():
                    say("worker %d" % os.getpid())
                    signal.pause()
                daemon(work)
                daemon(work)
                os.wait()
                os.wait()
                """);

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").mainProcess()).isEmpty();
        for (int i = 1; i <= 2; i++) {
            assertThat(stage.state("a")).isEqualTo("active/running success");
            String line = stage.happenings().await("a.service | worker", i);
            try (PidFd worker =
                    PidFd.open(Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))) {
                worker.signal(Signal.KILL);
                assertThat(worker.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
            }
        }
        stage.happenings().await("a.service: INFO all its processes have ended");
        stage.happenings().awaitRest("a.service");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    /**
     * Makes a service whose main process starts another one at SIGUSR2, which writes the PID file,
     * and exits at SIGUSR1: so does nginx when its program is replaced.
     */
    private void replaceable(String name, String... lines) throws Exception {
        Files.createDirectories(folder.resolve("made/later"));
        forking(
                name,
                """
                def main():
                    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
                    pid_file("%1$s")
                    if signal.sigwait({signal.SIGUSR1, signal.SIGUSR2}) == signal.SIGUSR2:
                        if os.fork() == 0:
                            pid_file("%1$s")
                            say("new %%d" %% os.getpid())
                            signal.pause()
                        signal.sigwait({signal.SIGUSR1})
                daemon(main)
                """
                        .formatted(pidFile()),
                "PIDFile=" + pidFile(),
                String.join("\n", lines));
    }

    /** Returns a command that makes the main process start another one, and waits for that. */
    private String replacing() throws Exception {
        return stage.shell(
                "replacing",
                """
                old=$(cat %1$s)
                kill -USR2 $old
                while [ "$(cat %1$s)" = $old ]; do sleep .01; done
                """
                        .formatted(pidFile()));
    }

    private void isReplaced(String name) throws Exception {
        String line = stage.happenings().awaitOutput(name + ".service", "new");
        assertThat(line).endsWith(" " + stage.main(name).pid());
        assertThat(stage.state(name)).isEqualTo("active/running success");
    }

    @Test
    void aMainProcessThatExitsAfterAnotherHasWrittenThePidFileIsFollowedByThatOne()
            throws Exception {
        replaceable("a");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.kill("a", Signal.USR2, false)).isTrue();
        var _ = stage.happenings().awaitOutput("a.service", "new");
        assertThat(stage.kill("a", Signal.USR1, false)).isTrue();
        var _ = stage.happenings().await("a.service: INFO its main process is", 2);
        isReplaced("a");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void aMainProcessThatExitsWithoutAnotherEndsTheService() throws Exception {
        replaceable("a");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.kill("a", Signal.USR1, false)).isTrue();
        stage.happenings().awaitRest("a.service");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void aReloadCommandMayReplaceTheMainProcess() throws Exception {
        replaceable("a", "ExecReload=" + replacing());
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(stage.manager().reload(List.of(UnitName.of("a.service")))))
                .containsEntry(UnitName.of("a.service"), JobResult.DONE);
        isReplaced("a");
    }

    @Test
    void aCommandAfterTheStartMayReplaceTheMainProcess() throws Exception {
        replaceable("a", "ExecStartPost=" + replacing());
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        isReplaced("a");
    }

    @Test
    void aFirstProcessThatFailsFailsTheStart() throws Exception {
        forking("a", "daemon(signal.pause)\nos.wait()\nsys.exit(3)\n");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        assertThat(stage.status("a").processes()).isEmpty();
    }

    @Test
    void aStopWhileItWaitsForThePidFileEndsTheWait() throws Exception {
        forking(
                "a",
                """
                def main():
                    say("up")
                    signal.pause()
                daemon(main)
                """,
                "PIDFile=" + pidFile());
        var start = stage.starting("a");
        stage.happenings().awaitOutput("a.service", "up");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(start)).isEqualTo(JobResult.CANCELED);
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }
}
