package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.notify.NotifyMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services that send notify messages: which messages the manager accepts, and what they change. */
@Timeout(120)
class NotifyServiceTest {
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

    private void notifyService(String name, String script, String... lines) throws Exception {
        stage.service(
                name,
                "Type=notify\nTimeoutStartSec=10s\nExecStart=" + stage.python(name, script),
                String.join("\n", lines));
    }

    @Test
    void itIsStartedWhenItSaysSo() throws Exception {
        notifyService(
                "a",
                """
                notify("STATUS=warming up")
                say("warm")
                sys.stdout.flush()
                notify("READY=1\\nSTATUS=at work")
                signal.pause()
                """,
                "ExecStartPost=/bin/echo post");

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").statusText()).isEqualTo("at work");
        assertThat(stage.status("a").log()).containsExactly("warm", "post");
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void whatIsSaidAtOnceIsHeard() throws Exception {
        for (int i = 0; i < 10; i++) {
            notifyService("a" + i, "notify(\"READY=1\")\nsignal.pause()\n");
        }
        for (int i = 0; i < 10; i++) {
            assertThat(stage.start("a" + i)).isEqualTo(JobResult.DONE);
        }
    }

    @Test
    void aServiceThatSaysThatItStopsIsAwaitedWithoutASignal() throws Exception {
        Path stop = stage.fifo("stop");
        Path end = stage.fifo("end");
        notifyService(
                "a",
                """
                signal.signal(signal.SIGTERM, lambda *_: say("SIGTERM"))
                notify("READY=1")
                open('%s').read()
                notify("STOPPING=1")
                open('%s').read()
                sys.exit(0)
                """
                        .formatted(stop, end));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        Files.writeString(stop, "stop");
        Await.until(() -> state("a").equals("deactivating/stop-sigterm success"));
        Files.writeString(end, "end");
        Await.until(() -> state("a").equals("inactive/dead success"));
        assertThat(stage.status("a").log()).isEmpty();
    }

    private String state(String unit) {
        try {
            return stage.state(unit);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aServiceMaySetItsWatchdogTimeout() throws Exception {
        notifyService(
                "a",
                """
                notify("READY=1\\nWATCHDOG_USEC=100000")
                signal.pause()
                """);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: ERROR failed: watchdog");
    }

    @Test
    void itFailsIfItEndsWithoutSayingSo() throws Exception {
        notifyService("a", "sys.exit(0)");
        notifyService("b", "sys.exit(4)");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed protocol");
        assertThat(stage.start("b")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("b")).isEqualTo("failed/failed exit-code");
    }

    @Test
    void itFailsIfItNeverSaysSo() throws Exception {
        stage.service("a", "Type=notify", "TimeoutStartSec=300ms", "ExecStart=/bin/sleep 1000");

        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
    }

    @Test
    void itMayAskForMoreTime() throws Exception {
        stage.service(
                "a",
                "Type=notify",
                "TimeoutStartSec=2s",
                "ExecStart="
                        + stage.python(
                                "a",
                                """
                                notify("EXTEND_TIMEOUT_USEC=60000000")
                                time.sleep(2.5)
                                notify("READY=1")
                                signal.pause()
                                """));

        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
    }

    @Test
    void onlyTheMainProcessIsBelievedUnlessTheUnitSaysOtherwise() throws Exception {
        String script =
                """
                if os.fork() == 0:
                    notify("READY=1\\nSTATUS=of the child")
                    os._exit(0)
                os.wait()
                say("child done")
                notify("READY=1")
                signal.pause()
                """;
        notifyService("main", script);
        notifyService("all", script.replace("notify(\"READY=1\")", "pass"), "NotifyAccess=all");

        assertThat(stage.start("main")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().await("main.service: WARNING notify message of process"))
                .contains(" of user 0 ignored: NotifyAccess=main");
        assertThat(stage.status("main").statusText()).isEmpty();
        assertThat(stage.start("all")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("all").statusText()).isEqualTo("of the child");
    }

    @Test
    void aStrangerIsNotBelieved() throws Exception {
        stage.service("a", "Type=notify", "NotifyAccess=all", "ExecStart=/bin/sleep 1000");
        var start = stage.starting("a");
        stage.happenings().await("a.service: INFO started");
        try (UnixSocket socket =
                UnixSocket.connect(UnixAddress.path(stage.notifySocket()), SocketType.DATAGRAM)) {
            socket.send(ByteBuffer.wrap("READY=1".getBytes(StandardCharsets.UTF_8)));
            try (PidFd self = PidFd.self()) {
                stage.happenings()
                        .await(
                                "notify message of %s of user 0 ignored: it belongs to no unit"
                                        .formatted(self));
            }
        }
        assertThat(start).isNotDone();
        stage.stop("a");
        assertThat(Stage.get(start)).isEqualTo(JobResult.CANCELED);
    }

    @Test
    void aServiceSendsByItsOwnSocketAlone() throws Exception {
        stage.service("a", "NotifyAccess=all", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        String own = "os.environ['NOTIFY_SOCKET']";
        String script =
                """
                notify("STATUS=at work\\nREADY=1")
                %s = '%s'
                notify("STATUS=by another socket")
                signal.pause()
                """
                        .formatted(own, stage.notifySocket());
        notifyService("b", script);
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);

        assertThat(stage.happenings().await("it came by the socket of a.service"))
                .contains("a process of b.service");
        assertThat(stage.status("b").statusText()).isEqualTo("at work");
        assertThat(stage.status("a").statusText()).isEmpty();
    }

    @Test
    void aComplaintAboutAMessageNamesItsUnitAndItsProcess() throws Exception {
        notifyService(
                "broken",
                """
                notify("MAINPID=\\x1b[2J")
                notify("READY=1")
                signal.pause()
                """);
        notifyService(
                "long",
                """
                notify("X_A=" + 5000 * "x")
                notify("READY=1")
                signal.pause()
                """);

        for (String name : List.of("broken", "long")) {
            assertThat(stage.start(name)).isEqualTo(JobResult.DONE);
            String who = "notify message of process " + stage.main(name).pid();
            assertThat(stage.happenings().await(name + ".service: WARNING " + who))
                    .contains(" of user 0 refused: ");
        }
        assertThat(stage.happenings().lines())
                .anyMatch(line -> line.contains("refused: MAINPID=\u001b[2J: not 1 to"))
                .anyMatch(line -> line.contains("refused: longer than 4096 bytes"));
    }

    @Test
    void aStrangerCannotFillTheLog() throws Exception {
        stage.service("a", "NotifyAccess=all", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        try (UnixSocket socket =
                UnixSocket.connect(UnixAddress.path(stage.notifySocket()), SocketType.DATAGRAM)) {
            for (int i = 0; i < 500; i++) { // each waits until there is room for it
                socket.send(ByteBuffer.wrap(new byte[NotifyMessage.MAX_SIZE + 1]));
                socket.send(ByteBuffer.wrap("a\0b".getBytes(StandardCharsets.UTF_8)));
                socket.send(ByteBuffer.wrap("READY=1".getBytes(StandardCharsets.UTF_8)));
            }
        }
        stage.happenings().await("belongs to no unit");
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.contains("notify message"))
                .hasSizeLessThan(20);
    }

    @Test
    @Needs(root = true)
    void onlyTheProcessesOfAServiceKnowItsSocket() throws Exception {
        stage.service("a", "NotifyAccess=all", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        Path socket = stage.notifySocket();
        long main = stage.main("a").pid();
        assertThat(Files.readString(Path.of("/proc/" + main + "/environ")))
                .contains("NOTIFY_SOCKET=" + socket);
        assertThat(Files.readString(Path.of("/proc/net/unix")))
                .doesNotContain(socket.getFileName().toString());
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        AsUser.nobody(() -> {
            assertThat(socket.toFile().getParentFile().list()).isNull();
            UnixSocket.connect(UnixAddress.path(socket), SocketType.DATAGRAM).close();
        });
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(socket).doesNotExist();
    }

    @Test
    @Needs(root = true)
    void aSandboxDoesNotShowTheNameOfTheSocket() throws Exception {
        stage.service(
                "a",
                "Type=notify\nInaccessiblePaths=-/root\nTemporaryFileSystem=" + folder.getParent(),
                "ExecStart=" + stage.python("a", "notify('READY=1')\nsignal.pause()"),
                "BindReadOnlyPaths=" + folder.resolve("a.py"));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        long main = stage.main("a").pid();
        assertThat(Files.readString(Path.of("/proc/" + main + "/mountinfo")))
                .contains("notify-sockets")
                .doesNotContain(stage.notifySocket().getFileName().toString());
    }

    /**
     * Makes a script whose child becomes the main process by the message that {@code how} sends.
     */
    private String moves(String how) {
        return """
        r, w = os.pipe()
        child = os.fork()
        if child == 0:
            say("child %d" % os.getpid())
            os.read(r, 1)
            signal.pause()
        fd = os.pidfd_open(child)
        id = os.fstat(fd).st_ino
        """
                + how
                + """

                notify("READY=1")
                os.waitpid(child, 0)
                say("parent goes on")
                signal.pause()
                """;
    }

    private long childOf(String name) throws Exception {
        String line = stage.happenings().awaitOutput(name + ".service", "child ");
        return Long.parseLong(line.substring(line.lastIndexOf(' ') + 1));
    }

    @Test
    void anotherProcessBecomesTheMainOneByNumberByIdAndByDescriptor() throws Exception {
        String all = "NotifyAccess=all"; // the old main process sends READY=1 later
        notifyService("number", moves("notify('MAINPID=%d' % child)"), all);
        notifyService("id", moves("notify('MAINPID=%d\\nMAINPIDFDID=%d' % (child, id))"), all);
        notifyService("descriptor", moves("notify('MAINPIDFD=1', fd)"), all);
        for (String name : new String[] {"number", "id", "descriptor"}) {
            assertThat(stage.start(name)).as(name).isEqualTo(JobResult.DONE);
            assertThat((long) stage.main(name).pid()).as(name).isEqualTo(childOf(name));
        }
    }

    @Test
    void aMainProcessThatIsNotOurChildIsWaitedForToo() throws Exception {
        notifyService(
                "a",
                moves("notify('READY=1')\nnotify('MAINPIDFD=1', fd)"),
                "NotifyAccess=all",
                "SuccessExitStatus=KILL");
        stage.keep("a.service");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("its main process is now");
        assertThat((long) stage.main("a").pid()).isEqualTo(childOf("a"));
        try (PidFd main = stage.hold("a")) {
            main.signal(Signal.KILL);
        }
        stage.happenings().awaitRest("a.service");
        assertThat(stage.status("a").mainExit()).contains(new Exit.Killed(Signal.KILL, false));
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void aMainProcessThatIsNotTheOneOfThatIdOrNotOfTheUnitIsRefused() throws Exception {
        notifyService("id", moves("notify('MAINPID=%d\\nMAINPIDFDID=%d' % (child, id + 1))"));
        notifyService("stranger", moves("notify('MAINPID=1')"));
        notifyService("descriptor", moves("notify('MAINPIDFD=1', r)"));
        notifyService("none", moves("notify('MAINPIDFD=1')"));
        for (String name : new String[] {"id", "stranger", "descriptor", "none"}) {
            assertThat(stage.start(name)).as(name).isEqualTo(JobResult.DONE);
            assertThat(stage.happenings().await(name + ".service: WARNING MAINPID")).isNotEmpty();
            assertThat((long) stage.main(name).pid()).isNotEqualTo(childOf(name));
            assertThat(stage.state(name)).isEqualTo("active/running success");
        }
    }
}
