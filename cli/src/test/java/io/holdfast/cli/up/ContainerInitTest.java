package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a manager whose keeper is PID 1 of a PID namespace, as in a container. The exit status of
 * unshare(1) shows how the container ended.
 */
@Timeout(180)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "setpriv"})
class ContainerInitTest {
    private static final String ADOPTED = "adopted";
    private static final int OF_A_SIGNAL = 128;

    /** A /dev of its own, since /dev/log is made there. */
    private static final String OWN_DEV =
            """
            set -e
            mkdir -p /run/dev
            mount -t tmpfs -o mode=755 dev /run/dev
            for node in null zero full random urandom tty; do
                : >/run/dev/$node
                mount --bind /dev/$node /run/dev/$node
            done
            ln -s /proc/self/fd /run/dev/fd
            mount --move /run/dev /dev
            exec "$@"
            """;

    /** Drops the capability that docker and podman do not give to a container. */
    private static final List<String> UNABLE_TO_REBOOT =
            List.of("setpriv", "--bounding-set", "-sys_boot");

    @TempDir private Path folder;
    private Path units;
    private Path log;
    private String slice;
    private final List<PidFd> inits = new ArrayList<>();

    @BeforeEach
    void layOut() throws IOException {
        units = Files.createDirectory(folder.resolve("units"));
        Files.createDirectory(folder.resolve("run"));
        log = folder.resolve("log");
        slice = "hfinit" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
    }

    /** A killed container cannot clean up, so its cgroups are removed here, as a runtime does. */
    @AfterEach
    void nothingIsLeft() {
        for (PidFd init : inits) {
            boolean _ = init.signal(Signal.KILL);
            init.close();
        }
        try (Cgroup own = Cgroup.own()) {
            if (own.childNames().contains(slice)) {
                try (Cgroup left = own.child(slice)) {
                    left.removeAll();
                }
            }
        }
    }

    private void unit(String name, String... lines) throws IOException {
        Files.writeString(
                units.resolve(name),
                "[Unit]\nDefaultDependencies=no\n" + String.join("\n", lines) + "\n");
    }

    /** A service that writes to the log when it is stopped regularly. */
    private void orderlyService() throws IOException {
        unit(
                "a.service",
                "Conflicts=shutdown.target",
                "Before=shutdown.target",
                "[Service]",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sh -c 'echo stopped >> " + log + "'");
    }

    private CommandProcess up(List<String> before, String... names) throws Exception {
        List<String> container =
                new ArrayList<>(
                        List.of("unshare", "--pid", "--fork", "--mount-proc", "--kill-child"));
        container.addAll(before);
        container.addAll(
                List.of(
                        "sh",
                        "-c",
                        "mount --bind " + folder.resolve("run") + " /run && " + OWN_DEV,
                        "sh"));
        List<String> words =
                new ArrayList<>(List.of("up", "--slice", slice, "--units", units.toString()));
        words.addAll(List.of(names));
        CommandProcess unshare = CommandProcess.start(container, words.toArray(String[]::new));
        Await.until(() -> hasChild(unshare));
        inits.add(init(unshare));
        return unshare;
    }

    private static boolean hasChild(CommandProcess unshare) {
        try (PidFd process = PidFd.open(unshare.pid());
                Members children = process.children()) {
            return children.size() > 0;
        }
    }

    private CommandProcess up(String... names) throws Exception {
        return up(List.of(), names);
    }

    private static PidFd init(CommandProcess container) {
        try (PidFd unshare = PidFd.open(container.pid());
                Members children = unshare.children()) {
            return children.iterator().next().duplicate();
        }
    }

    private static PidFd manager(PidFd init) {
        try (Members children = init.children()) {
            for (PidFd child : children) {
                if (child.proc().executable().endsWith("java")) {
                    return child.duplicate();
                }
            }
            throw new AssertionError("there is no manager");
        }
    }

    private static void send(CommandProcess container, String signal) {
        try (PidFd init = init(container)) {
            assertThat(init.signal(Signal.of(signal))).isTrue();
        }
    }

    private Invocation command(String verb, String... rest) {
        List<String> words =
                new ArrayList<>(
                        List.of(verb, "--runtime-dir", folder.resolve("run/holdfast").toString()));
        words.addAll(List.of(rest));
        return Invocation.of(words.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT", "RTMIN+3", "RTMIN+4", "PWR", "QUIT", "WINCH"})
    void stopsInOrderAtEverySignalThatMeansIt(String signal) throws Exception {
        orderlyService();
        try (CommandProcess container = up("a.service")) {
            container.await("holdfast: ready");
            send(container, signal);
            assertThat(container.exitCode()).isZero();
            assertThat(log).hasContent("stopped");
        }
    }

    @Test
    void endsWithTheStatusOfTheUnitThatFailed() throws Exception {
        unit("good.service", "[Service]", "Type=oneshot", "ExecStart=/bin/true");
        unit("bad.service", "[Service]", "Type=oneshot", "ExecStart=/bin/sh -c 'exit 7'");
        try (CommandProcess container = up("good.service", "bad.service")) {
            assertThat(container.exitCode()).isEqualTo(7);
            assertThat(container.lines())
                    .anyMatch(line -> line.contains("bad.service: has ended: the manager ends"));
        }
        try (CommandProcess container = up("good.service")) {
            assertThat(container.exitCode()).isZero();
        }
    }

    @Test
    void endsWithAnEssentialUnitAndStopsTheOthers() throws Exception {
        orderlyService();
        unit("killed.service", "[Service]", "ExecStart=/bin/sh -c 'kill -KILL $$$$'");
        try (CommandProcess container = up("a.service", "--essential", "killed")) {
            assertThat(container.exitCode()).isEqualTo(OF_A_SIGNAL + Signal.KILL.number());
            assertThat(log).hasContent("stopped");
        }
    }

    @Test
    void doesNotEndWithAUnitThatIsRestarted() throws Exception {
        unit("b.service", "[Service]", "ExecStart=/bin/sleep 1000");
        unit(
                "a.service",
                "[Service]",
                "Restart=on-failure",
                "RestartSec=0",
                "ExecStart=/bin/sh -c 'test -e " + log + " && exit 0; touch " + log + "; exit 9'");
        try (CommandProcess container = up("b.service", "--essential", "a")) {
            assertThat(container.exitCode()).isZero();
            assertThat(container.lines())
                    .anyMatch(line -> line.contains("a.service: has ended: the manager ends"));
        }
    }

    @Test
    void initIsPid1OfAContainerOrNothing() {
        Invocation init = Invocation.of("init", "a.service");
        assertThat(init.code()).isEqualTo(1);
        assertThat(init.err()).contains("init: this process is not PID 1 of a container");
    }

    @Test
    @Needs(programs = "logger")
    void printsMessagesOfSyslogWithTheUnitOfTheirSender() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sh -c 'logger -t tag hello from a; exec sleep 1000'");
        try (CommandProcess container = up("a.service")) {
            container.await("a.service | tag: hello from a");
            send(container, "TERM");
            assertThat(container.exitCode()).isZero();
        }
    }

    @Test
    @Needs(programs = {"logger", "python3"})
    void aSyslogDaemonReceivesTheMessagesFromItsSocket() throws Exception {
        unit("syslog.socket", "[Socket]", "ListenDatagram=/run/systemd/journal/syslog");
        unit(
                "syslog.service",
                "[Service]",
                "ExecStart=/usr/bin/python3 -uc \"import socket\\ns = socket.socket(fileno=3)\\n"
                        + "while True: print('daemon', s.recv(100))\"");
        unit(
                "a.service",
                "[Unit]",
                "After=syslog.socket",
                "[Service]",
                "ExecStart=/bin/sh -c 'logger -t tag hello from a; exec sleep 1000'");
        try (CommandProcess container = up("syslog.socket", "a.service")) {
            container.await("syslog.service | daemon b'<13>");
            send(container, "TERM");
            assertThat(container.exitCode()).isZero();
            assertThat(container.lines()).noneMatch(line -> line.contains("a.service | tag"));
        }
    }

    @Test
    void diesAsOfARebootIfItIsToRestartTheContainer() throws Exception {
        orderlyService();
        try (CommandProcess container = up("a.service")) {
            container.await("holdfast: ready");
            send(container, "RTMIN+5");
            assertThat(container.exitCode()).isEqualTo(OF_A_SIGNAL + Signal.HUP.number());
            assertThat(log).hasContent("stopped");
        }
        try (CommandProcess again = up("a.service")) { // the remains of the first do not matter
            again.await("holdfast: ready");
            assertThat(again.lines()).noneMatch(line -> line.contains("not adopted"));
            send(again, "TERM");
            assertThat(again.exitCode()).isZero();
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void whatAContainerHadThatWasKilledDoesNotCountInItsNextLife() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "ExecStart=/bin/sh -c 'echo started >> " + log + "'");
        unit("b.service", "[Service]", "ExecStart=/bin/sleep 1000");
        try (CommandProcess container = up("a.service", "b.service")) {
            container.await("holdfast: ready");
            send(container, "KILL");
            assertThat(container.exitCode()).isEqualTo(OF_A_SIGNAL + Signal.KILL.number());
        }
        try (CommandProcess again = up("a.service", "b.service")) {
            again.await("a.service is not adopted: it is of a container that has ended");
            again.await("holdfast: ready");
            assertThat(log).hasContent("started\nstarted");
            assertThat(command("status", "b").out()).contains("active (running)");
            send(again, "TERM");
            assertThat(again.exitCode()).isZero();
        }
    }

    @Test
    void saysByItsExitStatusThatItIsToBeRestartedWhereItCannotReboot() throws Exception {
        orderlyService();
        unit("b.service", "[Service]", "ExecStart=/nonexistent");
        try (CommandProcess container = up(UNABLE_TO_REBOOT, "a.service", "b.service")) {
            container.await("cannot start b.service");
            send(container, "RTMIN+5");
            assertThat(container.exitCode()).isEqualTo(133);
            assertThat(container.lines()).anyMatch(line -> line.contains("reboot REBOOT: EPERM"));
            assertThat(log).hasContent("stopped");
        }
    }

    @Test
    void survivesItsManagerAndReapsWhatNobodyWaitsFor() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sh -c 'while read -r line; do sh -c \"true & true & exit\"; echo"
                        + " did $line; done <"
                        + folder
                        + "/in'");
        ProcessBuilder fifo = new ProcessBuilder("mkfifo", folder.resolve("in").toString());
        assertThat(fifo.start().waitFor()).isZero();
        List<String> often =
                List.of("env", "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.keeperReap=100");
        try (CommandProcess container = up(often, "a.service")) {
            container.await("holdfast: ready");
            try (var in = Files.newBufferedWriter(folder.resolve("in"));
                    PidFd init = init(container)) {
                in.write("one\n");
                in.flush();
                container.await("did one");
                try (PidFd manager = manager(init)) {
                    assertThat(manager.signal(Signal.KILL)).isTrue();
                }
                container.await(ADOPTED);
                in.write("two\n");
                in.flush();
                container.await("did two");
                assertThat(command("status", "a").out()).contains("active (running)");
                Await.until(() -> zombies(init) == 0);
            }
            send(container, "TERM");
            assertThat(container.exitCode()).isZero();
        }
    }

    private static long zombies(PidFd init) {
        try (Members all = init.descendants()) {
            long count = 0;
            for (PidFd process : all) {
                count += process.exit().isPresent() ? 1 : 0;
            }
            return count;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "SuccessAction=exit,        true,   0",
        "FailureAction=exit,        exit 7, 7",
        "FailureAction=reboot,      exit 7, 129",
        "SuccessAction=reboot-force, true,  129",
        "SuccessAction=poweroff,    true,   130",
        "SuccessAction=halt-immediate, true, 130",
    })
    void aUnitEndsTheContainerInEachWay(String setting, String program, int status)
            throws Exception {
        Files.writeString(
                units.resolve("a.service"),
                "[Unit]\nDefaultDependencies=no\n%s\n[Service]\nType=oneshot\nExecStart=/bin/sh -c '%s'\n"
                        .formatted(setting, program));
        unit("b.service", "[Service]", "ExecStart=/bin/sleep 1000");
        try (CommandProcess container = up("b.service")) {
            container.await("holdfast: ready");
            var _ = command("start", "a.service");
            assertThat(container.exitCode()).isEqualTo(status);
        }
    }

    @Test
    void aManagerThatIsKilledWhileItStopsIsReplacedByOneThatEndsTheSame() throws Exception {
        unit(
                "a.service",
                "[Service]",
                "ExecStart=/bin/sleep 1000",
                "ExecStop=/bin/sh -c 'echo stopping; read -r line <" + folder + "/in'");
        ProcessBuilder fifo = new ProcessBuilder("mkfifo", folder.resolve("in").toString());
        assertThat(fifo.start().waitFor()).isZero();
        try (CommandProcess container = up("a.service")) {
            container.await("holdfast: ready");
            send(container, "RTMIN+5");
            container.await("a.service | stopping");
            try (PidFd init = init(container);
                    PidFd manager = manager(init)) {
                assertThat(manager.signal(Signal.KILL)).isTrue();
            }
            container.await(ADOPTED);
            Files.writeString(folder.resolve("in"), "go\n");
            assertThat(container.exitCode()).isEqualTo(OF_A_SIGNAL + Signal.HUP.number());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "exit 7,           7, stopped",
        "poweroff,         130, stopped",
        "reboot,           129, stopped",
        "poweroff --force, 130, ",
        "reboot --force,   129, ",
        "halt --force,     130, ",
        "exit --force,     0, ",
    })
    @Needs(programs = "systemctl")
    void systemctlFindsItAndEndsTheContainer(String words, int status, String stopped)
            throws Exception {
        orderlyService();
        try (CommandProcess container = up("a.service")) {
            container.await("holdfast: ready");
            try (PidFd init = init(container)) {
                List<String> command =
                        new ArrayList<>(
                                List.of(
                                        "nsenter",
                                        "--mount",
                                        "--pid",
                                        "--target",
                                        Integer.toString(init.pid()),
                                        "systemctl",
                                        "--no-wall"));
                command.addAll(List.of(words.split(" ", -1)));
                Process systemctl =
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectOutput(folder.resolve("systemctl").toFile())
                                .start();
                assertThat(container.exitCode())
                        .as(() -> {
                            try {
                                return Files.readString(folder.resolve("systemctl"));
                            } catch (IOException e) {
                                return e.toString();
                            }
                        })
                        .isEqualTo(status);
                int _ = systemctl.waitFor(); // it may be killed with the container
            }
            if (stopped == null) {
                assertThat(log).doesNotExist(); // it was killed
            } else {
                assertThat(log).hasContent(stopped);
            }
        }
    }

    @Test
    void outsideOfAContainerNoMachineIsEnded() throws Exception {
        orderlyService();
        try (CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--runtime-dir",
                        folder.resolve("run/holdfast").toString(),
                        "--slice",
                        slice,
                        "--units",
                        units.toString(),
                        "a.service")) {
            up.await("holdfast: ready");
            unit("b.service", "SuccessAction=reboot-force", "[Service]", "ExecStart=/bin/true");
            assertThat(command("start", "b.service").code()).isZero();
            up.await(
                    "SuccessAction=reboot-force is not possible: this manager is not PID 1 of a"
                            + " container");
            assertThat(command("status", "a").out()).contains("active (running)");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
