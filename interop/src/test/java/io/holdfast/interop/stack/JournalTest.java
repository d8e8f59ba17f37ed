package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The output of the units of a whole stack, as the tools of systemd and ours show it. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"journalctl", "systemctl", "nsenter"})
class JournalTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 50 : 4;
    private static final String UNITS = "/etc/systemd/system/";
    private static final String STORE = StackStage.RUNTIME + "/log";

    private static final Map<String, String> WITHOUT_PAUSE =
            Map.of("JDK_JAVA_OPTIONS", "-Dio.holdfast.manager.crashPause=1");

    private StackStage stage;

    @BeforeEach
    void open() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private void service(String name, String start) throws Exception {
        stage.write(
                UNITS + name + ".service",
                "[Unit]\nDefaultDependencies=no\n[Service]\n" + start + "\n");
    }

    private String journal(String... words) throws InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("journalctl", "--directory=" + STORE, "--no-pager", "-q"));
        command.addAll(List.of(words));
        return stage.output(command.toArray(String[]::new));
    }

    private boolean isInJournal(String text) {
        try {
            return journal("-u", "a.service", "-o", "cat").contains(text);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void theLinesOfAUnitAreInTheJournalAndOnTheTerminal() throws Exception {
        service("a", "ExecStart=/bin/sh -c 'echo hello; echo \"<4>careful\" >&2; exec sleep 1000'");
        RunningProgram up = stage.up("holdfast.target", "a.service");
        up.await("a.service | hello");
        up.await("a.service | careful");
        assertThat(journal("-u", "a.service", "-o", "cat", "_TRANSPORT=stdout"))
                .isEqualTo("hello\ncareful");
        assertThat(journal("-u", "a.service", "-p", "warning", "-o", "cat")).isEqualTo("careful");
        assertThat(journal("-u", "a.service", "-o", "json", "-n", "1", "_TRANSPORT=stdout"))
                .contains("\"_SYSTEMD_UNIT\":\"a.service\"", "\"SYSLOG_IDENTIFIER\":\"sh\"");
        StackStage.stop(up);
    }

    @Test
    void aUnitHasItsInvocationItsFieldsAndItsLevel() throws Exception {
        service(
                "a",
                "LogLevelMax=notice\nLogExtraFields=OWN=1\nSyslogIdentifier=me\nSyslogFacility=local3\n"
                        + "SyslogLevel=warning\nExecStart=/bin/sh -c 'echo \"<6>hidden\"; echo"
                        + " $INVOCATION_ID; exec sleep 1000'");
        RunningProgram up = stage.up("holdfast.target", "a.service");
        up.await("a.service | ");
        String id = journal("-u", "a.service", "-o", "cat", "_TRANSPORT=stdout", "OWN=1");
        assertThat(id).matches("[0-9a-f]{32}");
        assertThat(journal("-o", "cat", "_SYSTEMD_INVOCATION_ID=" + id)).isEqualTo(id);
        assertThat(journal("-t", "me", "-o", "export", "_TRANSPORT=stdout").lines())
                .contains("PRIORITY=4", "SYSLOG_FACILITY=19");
        StackStage.stop(up);
    }

    @Test
    void theMessagesOfTheManagerNameTheRunAndObeyTheLevelOfTheUnit() throws Exception {
        service("a", "ExecStart=/bin/sh -c 'echo $INVOCATION_ID; exec sleep 1000'");
        service("b", "LogLevelMax=warning\nExecStart=/bin/sh -c 'echo \"<4>b\"; exec sleep 1000'");
        RunningProgram up = stage.up("holdfast.target", "b.service", "a.service");
        Await.until(() -> up.written().contains("a.service | "));
        Await.until(() -> up.written().contains("b.service | b"));
        String id = journal("-u", "a.service", "-o", "cat", "_TRANSPORT=stdout");
        Await.until(() -> isInJournal("started"));
        assertThat(journal("-o", "cat", "INVOCATION_ID=" + id)).contains("started");
        assertThat(journal("-u", "b.service", "-o", "cat")).isEqualTo("b");
        assertThat(up.written().lines()).noneMatch(line -> line.startsWith("b.service: "));
        StackStage.stop(up);
    }

    @Test
    void theMessagesOfTheManagerAreAmongThoseOfTheUnit() throws Exception {
        service("a", "ExecStart=/bin/sh -c 'echo hello; exit 3'");
        RunningProgram up = stage.up("holdfast.target", "a.service");
        up.await("a.service | hello");
        Await.until(() -> isInJournal("exited with status 3"));
        assertThat(stage.output(StackStage.HOLDFAST, "logs", "--directory", STORE, "a"))
                .contains("hello", "exited with status 3");
        try (RunningProgram status =
                stage.start(
                        List.of(
                                StackStage.HOLDFAST,
                                "status",
                                "--runtime-dir",
                                StackStage.RUNTIME,
                                "a"))) {
            assertThat(status.end()).isEqualTo(new Exit.Exited(3));
            assertThat(status.written()).contains("]: hello", "exited with status 3");
        }
        StackStage.stop(up);
    }

    @Test
    void theLastLinesOfAUnitAreNotLostAtTheEnd() throws Exception {
        service(
                "a",
                "KillMode=mixed\nExecStart=/bin/sh -c 'trap \"seq -f end-%%g 500; exit\" TERM; echo ready; while"
                        + " :; do sleep 0.1; done'");
        RunningProgram up = stage.up("holdfast.target", "a.service");
        up.await("a.service | ready");
        StackStage.stop(up);
        assertThat(journal("-u", "a.service", "-o", "cat", "_TRANSPORT=stdout"))
                .isEqualTo("ready\n" + numbered("end-", 500));
        assertThat(up.written().lines().filter(line -> line.contains("| end-"))).hasSize(500);
    }

    @Test
    void eachLineIsInTheJournalOnceAlthoughManagersAreKilled() throws Exception {
        service("a", "ExecStart=/bin/sh -c 'for i in $(seq 1500); do echo n-$i; sleep 0.02; done'");
        RunningProgram up = stage.up(WITHOUT_PAUSE, "holdfast.target", "a.service");
        up.await("holdfast: ready");
        up.await("a.service | n-");
        for (int i = 0; i < KILLS; i++) {
            try (PidFd manager = StackStage.managerBelow(up.process())) {
                assertThat(manager.signal(Signal.KILL)).isTrue();
            }
            up.await("holdfast: the manager before this one");
            up.await("a.service | n-");
        }
        up.await("a.service | n-1500");
        assertThat(journal("-u", "a.service", "-o", "cat", "_TRANSPORT=stdout"))
                .isEqualTo(numbered("n-", 1500));
        assertThat(
                        up.written()
                                .lines()
                                .filter(line -> line.startsWith("a.service | n-"))
                                .distinct())
                .hasSize(1500);
        StackStage.stop(up);
    }

    @Test
    void anIdleStackHasNoReceiver() throws Exception {
        RunningProgram up = stage.ready();
        assertThat(stage.userctl("is-active", "systemd-journald.socket")).isEqualTo("active");
        assertThat(stage.userctl("show", "-P", "ActiveState", "systemd-journald.service"))
                .isEqualTo("inactive");
        StackStage.stop(up);
    }

    private static String numbered(String prefix, int count) {
        return String.join(
                "\n", IntStream.rangeClosed(1, count).mapToObj(i -> prefix + i).toList());
    }
}
