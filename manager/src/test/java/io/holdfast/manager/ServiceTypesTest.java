package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.text.PrintableText;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.UnitLog;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.view.UnitStatus;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How services of each type start, and what a failed start leaves. */
@Timeout(120)
class ServiceTypesTest {
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

    @Test
    void aSimpleServiceRunsInItsCgroupUntilItIsStopped() throws Exception {
        String program = stage.python("a", "say('up')\nsignal.pause()\n");
        stage.service("a", "ExecStart=" + program);

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "up");
        stage.keep("a.service");
        UnitStatus running = stage.status("a");
        assertThat(running.subState()).isEqualTo("running");
        assertThat(running.invocationId()).matches("[0-9a-f]{32}");
        assertThat(running.processes()).hasSize(1);
        assertThat(running.processes().getFirst().commandLine()).isEqualTo(program);
        assertThat(running.processes().getFirst().id()).isEqualTo(stage.main("a"));
        try (PidFd main = stage.hold("a")) {
            assertThat(main.cgroupPath().path())
                    .isEqualTo(running.cgroup().orElseThrow())
                    .contains("/" + stage.slice() + "/")
                    .endsWith("/a.service");
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
            assertThat(main.isAlive()).isFalse();
        }
        UnitStatus stopped = stage.status("a");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(stopped.mainExit()).contains(new Exit.Killed(Signal.TERM, false));
        assertThat(stopped.cgroup()).isEmpty();
    }

    @Test
    void aServiceWhoseMainProcessEndsIsDeadWithItsCgroup() throws Exception {
        stage.service("a", "ExecStart=/bin/echo said");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: INFO stopped");

        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        assertThat(stage.status("a").log()).containsExactly("said");
        assertThat(stage.status("a").cgroup()).isEmpty();
    }

    @Test
    void aProgramThatIsNotThereFailsTheStart() throws Exception {
        for (String type : new String[] {"simple", "exec", "notify", "oneshot"}) {
            String name = "none-" + type;
            stage.service(name, "Type=" + type, "ExecStart=/nowhere/program");

            assertThat(stage.start(name)).as(type).isEqualTo(JobResult.FAILED);
            assertThat(stage.state(name)).isEqualTo("failed/failed exit-code");
            assertThat(stage.status(name).mainExit()).contains(new Exit.Exited(203));
            assertThat(stage.happenings().await(name + ".service: ERROR cannot run"))
                    .contains("/nowhere/program")
                    .contains("ENOENT");
        }
    }

    /**
     * In systemd this fails before there is a process, so there is no failure that a prefix could
     * ignore.
     */
    @Test
    void aMissingEnvironmentFileIsAMatterOfResources() throws Exception {
        String[] lines = {"ExecStart=-/bin/true", "ExecStartPre=-/bin/true\nExecStart=/bin/true"};
        for (String line : lines) {
            stage.service("a", "Type=oneshot", "EnvironmentFile=/no/such/file", line);
            assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
            assertThat(stage.state("a")).isEqualTo("failed/failed resources");
            assertThat(stage.status("a").mainExit()).isEmpty();
        }
        assertThat(stage.happenings().lines())
                .filteredOn(event -> event.contains("/bin/true"))
                .allSatisfy(event ->
                        assertThat(event)
                                .startsWith("a.service: ERROR cannot run /bin/true: ")
                                .contains("/no/such/file is missing"))
                .hasSize(2);
    }

    @Test
    void oneshotCommandsRunOneAfterTheOther() throws Exception {
        String step = stage.shell("step", "echo step $1; [ \"$1\" != bad ]");
        stage.service(
                "good", "Type=oneshot", "ExecStart=" + step + " 1", "ExecStart=" + step + " 2");
        stage.service(
                "bad", "Type=oneshot", "ExecStart=" + step + " bad", "ExecStart=" + step + " 3");
        stage.service(
                "ignored",
                "Type=oneshot",
                "ExecStart=-" + step + " bad",
                "ExecStart=" + step + " 4");

        assertThat(stage.start("good")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("bad")).isEqualTo(JobResult.FAILED);
        assertThat(stage.start("ignored")).isEqualTo(JobResult.DONE);
        stage.happenings().await("good.service: INFO stopped");
        stage.happenings().await("ignored.service: INFO stopped");

        assertThat(stage.status("good").log()).containsExactly("step 1", "step 2");
        assertThat(stage.status("bad").log()).containsExactly("step bad");
        assertThat(stage.status("ignored").log()).containsExactly("step bad", "step 4");
        assertThat(stage.state("good")).isEqualTo("inactive/dead success");
        assertThat(stage.state("bad")).isEqualTo("failed/failed exit-code");
        assertThat(stage.state("ignored")).isEqualTo("inactive/dead success");
    }

    @Test
    void aOneshotThatRemainsIsActiveWithoutProcesses() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "ExecStart=/bin/true",
                "ExecStop=/bin/echo undone");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/exited success");
        assertThat(stage.status("a").processes()).isEmpty();
        assertThat(stage.start("a")).as("it is up").isEqualTo(JobResult.DONE);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log()).containsExactly("undone");
    }

    @Test
    void commandsAroundTheStartRunInTheirOrder() throws Exception {
        String step = stage.shell("step", "echo $1");
        String main = stage.shell("main", "echo main; exec sleep 1000");
        stage.service(
                "a",
                "Type=exec",
                "ExecCondition=" + step + " condition",
                "ExecStartPre=" + step + " pre1",
                "ExecStartPre=-/bin/false",
                "ExecStartPre=" + step + " pre2",
                "ExecStart=" + main,
                "ExecStop=" + step + " stop",
                "ExecStopPost=" + step + " post");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "main");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log())
                .containsExactly("condition", "pre1", "pre2", "main", "stop", "post");
    }

    /**
     * Repeated: the signal to what the command has left must not reach the command after the stop.
     */
    @RepeatedTest(50)
    void aFailedCommandBeforeTheStartFailsItAndOnlyTheLastCommandsRun() throws Exception {
        stage.service(
                "a",
                "ExecStartPre=/bin/sh -c 'exit 3'",
                "ExecStart=/bin/echo never",
                "ExecStop=/bin/echo never",
                "ExecStopPost=/bin/echo post");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        assertThat(stage.status("a").log())
                .as("%s", stage.happenings().lines())
                .containsExactly("post");
    }

    @Test
    void aFailedCommandAfterTheStartEndsTheServiceWithoutItsStopCommands() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecStartPost=/bin/false",
                "ExecStop=/bin/echo stop",
                "ExecStopPost=/bin/echo post");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
        assertThat(stage.status("a").log()).containsExactly("post");
    }

    @Test
    void aMainProcessThatFailsBesideTheCommandsAfterTheStartFailsIt() throws Exception {
        Path gate = stage.fifo("gate");
        try (RandomAccessFile held = new RandomAccessFile(gate.toFile(), "rw")) {
            stage.service(
                    "a",
                    "ExecStart=" + stage.shell("main", "exit 7"),
                    "ExecStartPost=" + stage.shell("post", "read x <" + gate + "; echo through"));
            var start = stage.starting("a");
            stage.happenings().await("a.service: WARNING its main process");
            held.writeBytes("go\n");

            assertThat(Stage.get(start)).isEqualTo(JobResult.FAILED);
        }
        assertThat(stage.status("a").log()).containsExactly("through");
        assertThat(stage.state("a")).isEqualTo("failed/failed exit-code");
    }

    @Test
    void anExecConditionSkipsOrFails() throws Exception {
        stage.service("skips", "ExecCondition=/bin/sh -c 'exit 1'", "ExecStart=/bin/echo never");
        stage.service("fails", "ExecCondition=/bin/sh -c 'exit 255'", "ExecStart=/bin/echo never");

        stage.keep("skips.service");
        assertThat(stage.start("skips")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("skips")).isEqualTo("inactive/dead exec-condition");
        assertThat(stage.start("fails")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("fails")).isEqualTo("failed/failed exit-code");
        assertThat(stage.status("skips").log()).isEmpty();
        assertThat(stage.status("fails").log()).isEmpty();
    }

    @Test
    void anUnmetConditionSkipsAndAnUnmetAssertionFails() throws Exception {
        stage.serviceWith(
                "skips",
                "ConditionPathExists=/nowhere",
                "Restart=always",
                "ExecStart=/bin/echo never");
        stage.serviceWith(
                "fails",
                "AssertPathExists=/nowhere",
                "Restart=always",
                "ExecStart=/bin/echo never");

        assertThat(stage.start("skips")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("skips")).isEqualTo("inactive/dead success");
        assertThat(stage.start("fails")).isEqualTo(JobResult.ASSERT);
        assertThat(stage.state("fails"))
                .as("only its job fails")
                .isEqualTo("inactive/dead success");
        assertThat(stage.happenings().await("skips.service: NOTICE")).contains("/nowhere");
        assertThat(stage.happenings().await("fails.service: ERROR not started"))
                .contains("/nowhere");
    }

    @Test
    void aStartThatTakesTooLongIsEnded() throws Exception {
        stage.service(
                "oneshot", "Type=oneshot", "TimeoutStartSec=200ms", "ExecStart=/bin/sleep 1000");
        stage.service(
                "pre",
                "TimeoutStartSec=200ms",
                "ExecStartPre=/bin/sleep 1000",
                "ExecStart=/bin/echo never");

        assertThat(stage.start("oneshot")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("oneshot")).isEqualTo("failed/failed timeout");
        assertThat(stage.start("pre")).isEqualTo(JobResult.FAILED);
        assertThat(stage.status("pre").log()).isEmpty();
    }

    @Test
    void aServiceIsTimedOutWhenItHasRunForAsLongAsItMay() throws Exception {
        stage.service("a", "RuntimeMaxSec=100ms", "ExecStart=/bin/sleep 1000");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: ERROR failed");
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
    }

    @Test
    void eachRunIsAnotherInvocationOfAnotherProcess() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        String first = stage.status("a").invocationId();
        ProcessId main = stage.main("a");

        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").invocationId()).isNotEqualTo(first);
        assertThat(stage.main("a").pidfdId()).isNotEqualTo(main.pidfdId());
        assertThat(stage.status("a").restarts()).isZero();
    }

    @Test
    void commandsAfterTheStopAreToldHowItEnded() throws Exception {
        String post = stage.shell("post", "echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS");
        String[][] cases = {
            {"clean", "exit 0", "success exited 0"},
            {"failed", "exit 5", "exit-code exited 5"},
            {"killed", "kill -KILL $$", "signal killed KILL"},
        };
        for (String[] one : cases) {
            stage.service(
                    one[0], "ExecStart=" + stage.shell(one[0], one[1]), "ExecStopPost=" + post);
            assertThat(stage.start(one[0])).isEqualTo(JobResult.DONE);
            stage.happenings().awaitRest(one[0] + ".service");
            assertThat(stage.status(one[0]).log()).containsExactly(one[2]);
        }
        stage.service("unknown", "ExecStart=/nowhere/program", "ExecStopPost=" + post);
        stage.start("unknown");
        assertThat(stage.status("unknown").log()).containsExactly("exit-code exited 203");
    }

    @Test
    void commandsBesideTheMainProcessAreToldOfIt() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=" + stage.shell("stop", "echo main $MAINPID"));
        stage.start("a");
        int main = stage.main("a").pid();
        stage.stop("a");

        assertThat(stage.status("a").log()).containsExactly("main " + main);
    }

    @Test
    void outputIsKeptInLinesAndHugeOutputIsBounded() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "ExecStart=/bin/sh -c 'echo out; echo err >&2; printf rest'",
                "ExecStart=/bin/sh -c 'head -c 3000000 /dev/zero | tr \"\\\\0\" x; echo'",
                "ExecStart=/bin/sh -c 'seq 100000'");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().lines())
                .contains("a.service | out", "a.service | err", "a.service | 1")
                .anyMatch(line ->
                        line.startsWith("a.service | restxxx") && line.endsWith(PrintableText.CUT));
        assertThat(stage.status("a").log())
                .hasSize(ManagerLimits.LOG_LINES.intValue())
                .endsWith("99999", "100000");
        assertThat(stage.happenings().lines())
                .allMatch(line -> line.length() < UnitLog.DEFAULT_LINE_BYTES + 100);
    }

    @Test
    void sigpipeIsIgnoredUnlessTheUnitSaysOtherwise() throws Exception {
        String shows = "ExecStart=/bin/sh -c 'grep SigIgn /proc/self/status'";
        stage.service("ignores", "Type=oneshot", shows);
        stage.service("dies", "Type=oneshot", "IgnoreSIGPIPE=no", shows);
        stage.start("ignores");
        stage.start("dies");
        stage.happenings().awaitOutput("ignores.service", "SigIgn:\t0000000000001000");
        stage.happenings().awaitOutput("dies.service", "SigIgn:\t0000000000000000");
    }

    @Test
    void whatACommandAfterTheStopLeavesIsTerminatedFirst() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecStopPost="
                        + stage.python(
                                "post",
                                """
                                if os.fork() == 0:
                                    signal.signal(signal.SIGTERM, lambda *_: (say("term"), os._exit(0)))
                                    open("%s", "w").close()
                                    signal.pause()
                                while not os.path.exists("%s"):
                                    time.sleep(0.01)
                                """
                                        .formatted(
                                                folder.resolve("ready"), folder.resolve("ready"))));
        stage.start("a");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log()).containsExactly("term");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }
}
