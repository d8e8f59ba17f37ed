package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real systemctl(1) on the private socket: its output, and its exit status. */
@Timeout(120)
@Needs(programs = "systemctl")
class SystemctlTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        stage.serviceWith(
                "a",
                "Description=A sleeper",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=/bin/true",
                "[Install]",
                "WantedBy=multi-user.target");
        stage.service("bad", "Type=oneshot", "ExecStart=/bin/false");
        stage.unit(
                "t.target", "[Unit]\nDefaultDependencies=no\nWants=a.service\nAfter=a.service\n");
        Files.createSymbolicLink(folder.resolve("units/masked.service"), Path.of("/dev/null"));
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        boolean left = Files.exists(stage.runtimeDirectory().resolve("systemd"));
        stage.close();
        assertThat(left).as("the folder of the private socket").isFalse();
    }

    private Tool systemctl(String... words) throws Exception {
        return Systemctl.of(stage).run(words);
    }

    private void expect(int status, String... words) throws Exception {
        String _ = Systemctl.of(stage).expect(status, words);
    }

    @Test
    void unitsAreStartedRestartedReloadedAndStopped() throws Exception {
        expect(0, "start", "a");
        String first = stage.status("a").invocationId();
        expect(0, "reload", "a");
        expect(0, "restart", "a");
        assertThat(stage.status("a").invocationId()).isNotEqualTo(first);
        expect(0, "try-restart", "a");
        expect(0, "reload-or-restart", "a");
        expect(0, "try-reload-or-restart", "a");
        assertThat(stage.state("a")).isEqualTo("active/running success");
        expect(0, "is-active", "a");
        expect(0, "stop", "a");
        expect(3, "is-active", "a");
        expect(0, "try-restart", "a");
        expect(3, "is-active", "a");
        expect(0, "restart", "a");
        expect(0, "is-active", "a");
    }

    @Test
    void whatCannotBeIsToldByTheUsualExitCodes() throws Exception {
        expect(5, "start", "nosuch");
        expect(5, "stop", "nosuch");
        expect(1, "start", "masked");
        expect(1, "start", "bad");
        expect(0, "is-failed", "bad");
        expect(3, "status", "bad");
        expect(0, "reset-failed", "bad");
        expect(1, "is-failed", "bad");
        expect(3, "reload", "bad");
        expect(4, "is-active", "nosuch");
        expect(4, "status", "nosuch");
        expect(4, "isolate", "t.target");
    }

    @Test
    void aRestartThatCannotBeLeavesWhatRunsAlone() throws Exception {
        expect(0, "start", "a");
        String first = stage.status("a").invocationId();
        stage.service("a", "ExecStart=bin/relative");
        expect(0, "daemon-reload");
        assertThat(systemctl("restart", "a").output()).contains("bad unit file setting");
        Files.delete(stage.unitFolder().resolve("a.service"));
        expect(1, "restart", "a");
        expect(0, "daemon-reload");
        expect(5, "restart", "a");
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(stage.status("a").invocationId()).isEqualTo(first);
        expect(0, "stop", "a");
        expect(5, "start", "a");
    }

    @Test
    void aRestartThatIsUnderWayIsCancelledByTheEndOfTheManager() throws Exception {
        Path gate = stage.fifo("gate");
        String waits = stage.shell("stop", "echo stopping; read line < " + gate);
        stage.service("a", "ExecStart=/bin/sleep 1000", "ExecStop=" + waits);
        expect(0, "start", "a");
        expect(0, "restart", "--no-block", "a");
        stage.happenings().awaitOutput("a.service", "stopping");
        var end = stage.manager().shutdown();
        Files.writeString(gate, "go\n");
        assertThat(Stage.get(end)).containsValue(JobResult.DONE);
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.contains("a.service: INFO started process"))
                .hasSize(1);
    }

    @Test
    void showListsWhatAUnitGoesWithout() throws Exception {
        stage.service(
                "w", "ExecStart=/bin/sleep 1000", "SocketBindDeny=any", "CoredumpFilter=default");

        assertThat(systemctl("show", "w", "-p", "SecurityWarnings").output().strip())
                .startsWith("SecurityWarnings=")
                .endsWith("SocketBindDeny= is not supported: sockets can be bound to every port\"")
                .doesNotContain("CoredumpFilter");
        assertThat(systemctl("show", "w", "-p", "Warnings").output())
                .contains("SocketBindDeny=", "CoredumpFilter= is not supported");
        assertThat(systemctl("show", "w").output()).contains("\nWarnings=");
    }

    @Test
    void statusShowsTheProcessesAndWhatIsKnown() throws Exception {
        expect(0, "start", "a");
        String status = systemctl("status", "a").output();

        assertThat(status)
                .contains("A sleeper", "active (running)", "/bin/sleep 1000")
                .contains("Main PID: " + stage.main("a").pid())
                .contains(stage.status("a").invocationId());
        assertThat(systemctl("status", Integer.toString(stage.main("a").pid())).output())
                .contains("a.service");
        assertThat(systemctl("show", "a", "-p", "MainPID,SubState,Slice,ExecStart").output())
                .contains("SubState=running", "Slice=system.slice", "argv[]=/bin/sleep 1000")
                .contains("MainPID=" + stage.main("a").pid());
        assertThat(systemctl("status").output()).contains("State: running");
        assertThat(systemctl("show", "-p", "NNames,Version").output()).contains("NNames=3");
    }

    @Test
    void unitsAreListed() throws Exception {
        expect(0, "start", "t.target");
        assertThat(systemctl("list-units").output())
                .containsPattern("a.service +loaded active running A sleeper")
                .contains("t.target", "system.slice");
        assertThat(systemctl("list-units", "--state=active", "a*").output())
                .contains("a.service", "1 loaded units");
        assertThat(systemctl("list-dependencies", "t.target").output()).contains("a.service");
        assertThat(systemctl("list-dependencies", "--reverse", "a").output()).contains("t.target");
        expect(0, "list-jobs");
        expect(0, "list-sockets");
    }

    @Test
    void socketsAreStartedShownListedAndStopped() throws Exception {
        Path path = folder.resolve("s.sock");
        stage.unit(
                "s.socket",
                "[Unit]\nDefaultDependencies=no\nDescription=A door\n[Socket]\nListenStream="
                        + path
                        + "\n");
        stage.service("s", "ExecStart=/bin/sleep 1000");

        expect(0, "start", "s.socket");
        expect(0, "is-active", "s.socket");
        assertThat(systemctl("list-sockets").output())
                .containsPattern(path + " +s.socket +s.service");
        assertThat(systemctl("status", "s.socket").output())
                .contains("A door", "active (listening)", "Triggers: ", "s.service")
                .contains("Listen: " + path + " (Stream)");
        assertThat(systemctl("show", "s.socket", "-p", "Listen,Accept,NAccepted,CanStart").output())
                .contains("Listen=" + path + " (Stream)", "Accept=no", "NAccepted=0")
                .contains("CanStart=yes");

        try (UnixSocket _ =
                UnixSocket.connect(
                        UnixAddress.path(path), SocketType.STREAM, Duration.ofSeconds(10))) {
            stage.happenings().await("s.service: INFO is started for traffic on s.socket");
        }
        expect(0, "start", "s");
        assertThat(systemctl("show", "s", "-p", "TriggeredBy").output()).contains("s.socket");
        assertThat(systemctl("status", "s").output()).contains("TriggeredBy: ", "s.socket");
        expect(0, "stop", "s.socket", "s.service");
        expect(3, "is-active", "s.socket");
        expect(0, "restart", "s.socket");
        expect(3, "reload", "s.socket");
        expect(0, "stop", "s.socket");
    }

    @Test
    @Needs(root = true)
    void theUserOfAServiceIsShownWhileItRuns() throws Exception {
        stage.service("n", "User=nobody", "ExecStart=/bin/sh -c 'echo up; exec sleep 1000'");
        expect(0, "start", "n", "a");
        String _ = stage.happenings().await("n.service | up");
        String nobody =
                Files.getAttribute(Path.of("/proc/" + stage.main("n").pid()), "unix:uid")
                        .toString();
        assertThat(systemctl("show", "n", "-p", "UID").output().strip()).isEqualTo("UID=" + nobody);
        assertThat(systemctl("show", "a", "-p", "UID,GID").output())
                .contains("UID=[not set]", "GID=[not set]");
        expect(0, "stop", "n");
        assertThat(systemctl("show", "n", "-p", "UID").output()).contains("UID=[not set]");
    }

    @Test
    void processesAreSignalled() throws Exception {
        expect(0, "start", "a");
        try (PidFd main = stage.hold("a")) {
            expect(0, "kill", "--signal=KILL", "--kill-whom=main", "a");
            var _ = main.await();
            stage.happenings().await("a.service: ERROR failed");
        }
        expect(0, "is-failed", "a");
        expect(1, "kill", "--kill-whom=main", "a");
        expect(0, "reset-failed");
        expect(1, "is-failed", "a");
    }

    @Test
    void theManagerIsAskedAndToldToReadItsFilesAgain() throws Exception {
        expect(0, "start", "a");
        stage.service("a", "ExecStart=/bin/sleep 2000");
        expect(0, "daemon-reload");
        assertThat(systemctl("show", "a", "-p", "NeedDaemonReload").output()).contains("no");
        expect(0, "restart", "a");
        assertThat(systemctl("status", "a").output()).contains("/bin/sleep 2000");
        assertThat(systemctl("log-level").output().strip()).isEqualTo("info");
        expect(0, "log-level", "err");
        assertThat(systemctl("log-level").output().strip()).isEqualTo("err");
        expect(0, "log-level", "debug");
        assertThat(systemctl("log-level").output().strip()).isEqualTo("debug");
        expect(0, "stop", "a");
        stage.happenings().await("a.service: DEBUG stop job");
        assertThat(systemctl("show-environment").output()).contains("PATH=");
    }

    /** Commands about files ask the manager only where systemd counts as running. */
    @Test
    @Needs(root = true, programs = "unshare")
    void plainSystemctlOfRootWorksToo() throws Exception {
        String script =
                """
                mount -t tmpfs tmpfs /run
                mkdir -p /run/systemd/system
                touch /run/systemd/private
                mount --bind "$PRIVATE" /run/systemd/private
                for words in "start a" "is-enabled a" "is-enabled masked" "is-enabled t.target" \\
                    "is-enabled nosuch" "cat a" "is-system-running" "list-unit-files a.service" \\
                    "status a" "stop a" "is-active a"; do
                    echo "<$words>"
                    systemctl --no-pager $words
                    echo "<$?>"
                done
                """;
        String said =
                Tool.run(
                                Map.of(
                                        "PRIVATE",
                                        stage.runtimeDirectory()
                                                .resolve("systemd/private")
                                                .toString()),
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                script)
                        .output();

        assertThat(said)
                .contains("<start a>\n<0>")
                .contains("<is-enabled a>\ndisabled\n<1>")
                .contains("<is-enabled masked>\nmasked\n<1>")
                .contains("<is-enabled t.target>\nstatic\n<0>")
                .contains("<is-enabled nosuch>\nnot-found\n<4>")
                .contains("ExecStart=/bin/sleep 1000")
                .contains("<is-system-running>\nrunning\n<0>")
                .containsPattern("a.service +disabled")
                .contains("active (running)")
                .contains("<stop a>\n<0>")
                .contains("<is-active a>\ninactive\n<3>");
    }

    @Test
    void anInvocationIsAnObjectWhileItLasts() throws Exception {
        expect(0, "start", "a");
        String id = stage.status("a").invocationId();
        assertThat(systemctl("show", "a", "-p", "InvocationID").output()).contains(id);
        assertThat(systemctl("list-units", "--all").output()).contains("a.service");
    }
}
