package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.ActiveState;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How services are stopped in every state, and which processes are signalled then. */
@Timeout(120)
class ServiceStopTest {
    /** Prints each signal that it receives, and continues. */
    private static final String STUBBORN =
            """
            trap 'echo got-term' TERM
            trap 'echo got-hup' HUP
            trap 'echo got-int' INT
            echo up
            while true; do sleep 1000 & wait; done
            """;

    /** Leaves a daemon in a separate session behind, which prints its PID and waits. */
    private static final String DAEMONIZES =
            """
            def daemon(name):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        say("%s %d" % (name, os.getpid()))
                        signal.pause()
                    os._exit(0)
                os.wait()
            daemon("daemon")
            say("up")
            signal.pause()
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

    private String stubborn() throws Exception {
        return stage.shell("stubborn", STUBBORN);
    }

    private void startAndAwait(String name, String line) throws Exception {
        assertThat(stage.start(name)).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput(name + ".service", line);
    }

    private PidFd holdOf(String name, String word) throws Exception {
        String line = stage.happenings().awaitOutput(name + ".service", word + " ");
        return PidFd.open(Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)));
    }

    @Test
    void whatDoesNotStopInTimeIsKilled() throws Exception {
        stage.service("a", "TimeoutStopSec=2s", "ExecStart=" + stubborn());
        startAndAwait("a", "up");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log()).contains("got-term");
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
        assertThat(stage.status("a").mainExit()).contains(new Exit.Killed(Signal.KILL, false));
    }

    /** Each process has the lock, so the last one of them has ended when it is free. */
    @Test
    @Timeout(1200)
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"python3", "su"})
    void whatForksTwiceAndDropsItsEnvironmentEndsWithItsService() throws Exception {
        int rounds = Boolean.getBoolean("holdfast.long") ? 20 : 1;
        Path file = Files.createFile(folder.resolve("lock"));
        String program =
                """
                import fcntl
                lock = os.open("%s", os.O_RDONLY)
                fcntl.flock(lock, fcntl.LOCK_SH)
                os.set_inheritable(lock, True)
                for i in range(500):
                    if os.fork() == 0:
                        os.setsid()
                        if os.fork() == 0:
                            if i %% 5 == 0:
                                os.execve("/usr/bin/sleep", ["sleep", "1000"], {})
                            if i %% 50 == 1:
                                su = ["su", "-s", "/bin/sh", "-c", "sleep 1000", "nobody"]
                                os.execve("/usr/bin/su", su, {})
                            signal.pause()
                        os._exit(0)
                    os.wait()
                say("up")
                signal.pause()
                """
                        .formatted(file);
        stage.serviceWith(
                "a", "StartLimitIntervalSec=0", "ExecStart=" + stage.python("a", program));
        for (int round = 0; round < rounds; round++) {
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            stage.happenings().await("a.service | up", round + 1);
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
            try (Fd lock = Fcntl.open(file.toString(), Fcntl.O_RDONLY)) {
                assertThat(SysFile.tryLock(lock)).isNotNegative();
            }
        }
    }

    @Test
    void theSignalOfTheUnitIsSentAndAHangupAfterItIfWanted() throws Exception {
        stage.service(
                "a",
                "KillSignal=SIGINT",
                "SendSIGHUP=yes",
                "TimeoutStopSec=2s",
                "KillMode=mixed",
                "ExecStart=" + stubborn());
        startAndAwait("a", "up");
        stage.stop("a");

        assertThat(stage.status("a").log())
                .contains("got-int", "got-hup")
                .doesNotContain("got-term");
    }

    @Test
    void aStopCommandThatHangsIsEndedAndToldAsTimeout() throws Exception {
        stage.service(
                "a",
                "TimeoutStopSec=200ms",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sleep 1001");
        stage.start("a");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
    }

    @Test
    void aCommandAfterTheStopThatHangsIsEndedToo() throws Exception {
        stage.service(
                "a",
                "TimeoutStopSec=200ms",
                "KillMode=process",
                "ExecStart=/bin/sleep 1000",
                "ExecStopPost=/bin/sleep 1001",
                "ExecStopPost=/bin/echo never");
        stage.start("a");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
        assertThat(stage.status("a").log()).isEmpty();
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
    }

    @Test
    void daemonsThatLeftTheirSessionAreKilledAndReaped() throws Exception {
        stage.service("a", "ExecStart=" + stage.python("daemonizes", DAEMONIZES));
        startAndAwait("a", "up");
        try (PidFd daemon = holdOf("a", "daemon")) {
            assertThat(stage.status("a").processes()).hasSize(2);
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);

            assertThat(daemon.await(Duration.ofSeconds(30)))
                    .contains(new Exit.Killed(Signal.TERM, false));
            // it may be reaped a little later: a start of another unit looks for orphans again
            stage.serviceWith(
                    "b", "StartLimitIntervalSec=0", "Type=oneshot", "ExecStart=/bin/true");
            for (int i = 0; daemon.state() != PidFd.State.REAPED; i++) {
                assertThat(i).as("looks for orphans").isLessThan(100);
                stage.start("b");
            }
        }
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void orphansAreReapedWhileTheServiceRuns() throws Exception {
        stage.service(
                "a",
                "ExecStart="
                        + stage.python(
                                "orphan",
                                """
                                if os.fork() == 0:
                                    if os.fork() == 0:
                                        say("orphan %d" % os.getpid())
                                        signal.pause()
                                    os._exit(0)
                                os.wait()
                                say("up")
                                signal.pause()
                                """));
        startAndAwait("a", "up");
        try (PidFd orphan = holdOf("a", "orphan")) {
            try (PidFd parent = orphan.parent().orElseThrow();
                    PidFd self = PidFd.self()) {
                assertThat(parent).isEqualTo(self);
            }
            orphan.signal(Signal.KILL);
            assertThat(orphan.await(Duration.ofSeconds(30))).isPresent();
            stage.serviceWith(
                    "b", "StartLimitIntervalSec=0", "Type=oneshot", "ExecStart=/bin/true");
            for (int i = 0; orphan.state() != PidFd.State.REAPED; i++) {
                assertThat(i).as("looks for orphans").isLessThan(100);
                stage.start("b");
            }
            assertThat(stage.state("a")).isEqualTo("active/running success");
        }
    }

    @Test
    void childrenOfProcessBuilderAreNeverReapedByTheManager() throws Exception {
        stage.serviceWith("a", "StartLimitIntervalSec=0", "Type=oneshot", "ExecStart=/bin/true");
        for (int i = 0; i < 50; i++) {
            Process process = new ProcessBuilder("/bin/sh", "-c", "exit " + (i % 7)).start();
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(i % 7);
        }
    }

    @Test
    void mixedAsksTheMainProcessAndKillsTheOthers() throws Exception {
        stage.service(
                "a",
                "KillMode=mixed",
                "ExecStart="
                        + stage.shell(
                                "main",
                                "trap 'echo main-term; exit 0' TERM; sh "
                                        + Files.writeString(folder.resolve("child.sh"), STUBBORN)
                                        + " & wait; wait"));
        startAndAwait("a", "up");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log()).contains("main-term").doesNotContain("got-term");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void processAndNoneLeaveProcessesAndSaySo() throws Exception {
        for (String mode : new String[] {"process", "none"}) {
            String script = stage.python("daemonizes", DAEMONIZES);
            stage.service(mode, "KillMode=" + mode, "ExecStart=" + script);
            startAndAwait(mode, "daemon");
            try (PidFd main = stage.hold(mode);
                    PidFd daemon = holdOf(mode, "daemon")) {
                assertThat(stage.stop(mode)).isEqualTo(JobResult.DONE);
                assertThat(daemon.isAlive()).isTrue();
                assertThat(main.isAlive()).isEqualTo(mode.equals("none"));
                stage.happenings().await(mode + ".service: WARNING processes are left over");
                assertThat(stage.state(mode)).isEqualTo("inactive/dead success");

                assertThat(stage.start(mode)).as("beside them").isEqualTo(JobResult.DONE);
                try (PidFd second = stage.hold(mode)) {
                    assertThat(second).isNotEqualTo(main);
                    main.signal(Signal.KILL);
                    assertThat(main.await(Duration.ofSeconds(30))).isPresent();
                    assertThat(stage.main(mode).pidfdId()).hasValue(second.id());
                    assertThat(stage.state(mode)).isEqualTo("active/running success");
                    second.signal(Signal.KILL);
                }
                daemon.signal(Signal.KILL);
                stage.happenings().await(mode + ".service: ERROR failed");
            }
        }
    }

    @Test
    void aStopReachesAStartInEveryPhase() throws Exception {
        stage.service("condition", "ExecCondition=" + stubborn(), "ExecStart=/bin/echo never");
        stage.service("pre", "ExecStartPre=" + stubborn(), "ExecStart=/bin/echo never");
        stage.service(
                "start", "Type=oneshot", "ExecStart=" + stubborn(), "ExecStop=/bin/echo never");
        stage.service(
                "notify", "Type=notify", "ExecStart=" + stubborn(), "ExecStop=/bin/echo never");
        stage.service("post", "ExecStart=/bin/sleep 1000", "ExecStartPost=" + stubborn());
        for (String name : new String[] {"condition", "pre", "start", "notify", "post"}) {
            Files.createDirectories(folder.resolve("units/" + name + ".service.d"));
            stage.unit(name + ".service.d/time.conf", "[Service]\nTimeoutStopSec=1s\n");
            var start = stage.starting(name);
            stage.happenings().awaitOutput(name + ".service", "up");
            assertThat(stage.status(name).activeState()).isEqualTo(ActiveState.ACTIVATING);

            assertThat(stage.stop(name)).as(name).isEqualTo(JobResult.DONE);
            assertThat(Stage.get(start)).as(name).isEqualTo(JobResult.CANCELED);
            assertThat(stage.status(name).log()).contains("up", "got-term").doesNotContain("never");
            assertThat(stage.status(name).cgroup()).isEmpty();
        }
    }

    @Test
    void aStopRightBehindAStartWinsAndAStartBehindThatWinsAgain() throws Exception {
        stage.serviceWith("a", "StartLimitIntervalSec=0", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        stage.stop("a");
        for (int i = 0; i < 20; i++) {
            var start = stage.starting("a");
            var stop = stage.stopping("a");
            var again = stage.starting("a");

            assertThat(Stage.get(start)).isIn(JobResult.DONE, JobResult.CANCELED);
            assertThat(Stage.get(stop)).isIn(JobResult.DONE, JobResult.CANCELED);
            assertThat(Stage.get(again)).isEqualTo(JobResult.DONE);
            assertThat(stage.state("a")).isEqualTo("active/running success");
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
            assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        }
    }

    @Test
    void aStartWhileItStopsBeginsWhenThatIsDone() throws Exception {
        Path gate = stage.fifo("gate");
        String main =
                stage.shell(
                        "main",
                        "trap 'echo term; read x <"
                                + gate
                                + "; exit 0' TERM; echo up; sleep 1000 & wait");
        stage.service("a", "KillMode=mixed", "ExecStart=" + main);
        try (RandomAccessFile held = new RandomAccessFile(gate.toFile(), "rw")) {
            startAndAwait("a", "up");
            var stop = stage.stopping("a");
            stage.happenings().awaitOutput("a.service", "term");
            var start = stage.starting("a");
            assertThat(Stage.get(stop)).as("its place is taken").isEqualTo(JobResult.CANCELED);
            held.writeBytes("go\n");
            assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);
        }
        stage.happenings().await("a.service | up", 2);
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(stage.kill("a", Signal.KILL, true)).isTrue();
        stage.happenings().await("a.service: ERROR failed");
    }

    @Test
    void killSignalsTheMainProcessOrAll() throws Exception {
        stage.service("a", "TimeoutStopSec=200ms", "ExecStart=" + stubborn());
        startAndAwait("a", "up");

        assertThat(stage.kill("a", Signal.HUP, false)).isTrue();
        stage.happenings().awaitOutput("a.service", "got-hup");
        assertThat(stage.kill("a", Signal.KILL, true)).isTrue();
        stage.happenings().await("a.service: ERROR failed");
        assertThat(stage.state("a")).isEqualTo("failed/failed signal");
        assertThat(stage.kill("a", Signal.KILL, true)).as("it has none").isFalse();
        assertThat(stage.kill("unheard-of", Signal.KILL, true)).isFalse();
    }
}
