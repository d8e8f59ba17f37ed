package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Services that store descriptors with the manager. The stage checks that none is left. */
@Timeout(120)
class FdStoreTest {
    /** Prints what it was given; waits until everything that it has sent is processed. */
    private static final String COMMON =
            """
            def barrier():
                r, w = os.pipe()
                notify("BARRIER=1", w)
                os.close(w)
                os.read(r, 1)
                os.close(r)
            count = int(os.environ.get("LISTEN_FDS", "0"))
            names = os.environ.get("LISTEN_FDNAMES", "")
            own = str(os.getpid()) == os.environ.get("LISTEN_PID", str(os.getpid()))
            say("given %d [%s] %s" % (count, names, "mine" if own else "not mine"))
            """;

    private static final String THREE =
            """
            for i in range(3):
                notify("FDSTORE=1\\nFDNAME=n%d" % i, os.memfd_create("x"))
            notify("FDSTOREREMOVE=1\\nFDNAME=n0")
            barrier()
            notify("READY=1")
            signal.pause()
            """;

    private static final String STORES_ONE =
            """
            if count == 0:
                notify("FDSTORE=1", os.memfd_create("x"))
                barrier()
            notify("READY=1")
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

    private void service(String script, String... lines) throws Exception {
        stage.service(
                "a",
                "Type=notify\nTimeoutStartSec=20s\nExecStart=" + stage.python("a", COMMON + script),
                String.join("\n", lines));
    }

    /** Waits for the n-th such line. */
    private void awaitOutput(String line, int count) throws Exception {
        assertThat(stage.happenings().await("a.service | " + line, count)).isNotEmpty();
    }

    @Test
    void whatIsStoredComesBackAfterARestart() throws Exception {
        service(
                """
                if count == 0:
                    r, w = os.pipe()
                    os.write(w, b"kept")
                    notify("FDSTORE=1\\nFDNAME=data", r)
                    notify("FDSTORE=1\\nFDNAME=end", w)
                    notify("FDSTORE=1\\nFDNAME=again", r)
                    os.close(w)
                    barrier()
                else:
                    say(os.read(3, 4).decode())
                notify("READY=1")
                signal.pause()
                """,
                "FileDescriptorStoreMax=2",
                "WatchdogSec=1min");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 0 [] mine", 1);
        awaitOutput("given 2 [data:end] mine", 1);
        awaitOutput("kept", 1);

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 0 [] mine", 2);
    }

    @Test
    void itComesBackWhenTheServiceIsRestartedByItself() throws Exception {
        service(
                """
                notify("READY=1")
                if count == 0:
                    notify("FDSTORE=1", os.memfd_create("x"))
                    barrier()
                    sys.exit(1)
                signal.pause()
                """,
                "FileDescriptorStoreMax=1",
                "Restart=on-failure",
                "RestartSec=0");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "given 1 [stored] mine");
    }

    @Test
    void whatIsMoreThanWasAskedForIsNotKept() throws Exception {
        service(THREE, "FileDescriptorStoreMax=2");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("n2 is not kept: there are 2");
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 1 [n1] mine", 1);
    }

    @Test
    void nothingIsKeptUnlessAskedForAndThatIsSaidOnceForAll() throws Exception {
        service(THREE);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.contains("is not kept"))
                .singleElement()
                .asString()
                .contains("n0 is not kept: there are 0");
    }

    @Test
    void whatHasLostItsOtherEndGoesUnlessThatIsNotWatched() throws Exception {
        service(
                """
                pairs = [socket.socketpair() for i in range(2)]
                notify("FDSTORE=1\\nFDNAME=watched", pairs[0][0].fileno())
                notify("FDSTORE=1\\nFDNAME=blind\\nFDPOLL=0", pairs[1][0].fileno())
                barrier()
                if count == 0:
                    for a, b in pairs: a.close(); b.close()
                    barrier()
                notify("READY=1")
                signal.pause()
                """,
                "FileDescriptorStoreMax=9");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 1 [blind] mine", 1);
    }

    @Test
    void itIsKeptOverAStopOnlyIfTheUnitSaysSo() throws Exception {
        service(STORES_ONE, "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=yes");
        stage.keep("a.service");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("inactive/dead-resources-pinned success");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 1 [stored] mine", 1);

        service(STORES_ONE, "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=no");
        Stage.get(stage.reloading());
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 1 [stored] mine", 2); // left by the previous stop
        awaitOutput("given 0 [] mine", 2);
    }

    @Test
    void itIsReleasedOnRequestWhileTheServiceIsDown() throws Exception {
        service(STORES_ONE, "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=yes");
        stage.keep("a.service");
        Path socket = stage.runtimeDirectory().resolve("systemd/private");
        try (Systemd1 _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
                BusConnection peer =
                        BusConnection.withPeer(
                                UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM),
                                ConnectionOptions.standard())) {
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThatThrownBy(() -> clean(peer, "fdstore")).hasMessageContaining("UnitBusy");
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
            assertThat(stage.state("a")).isEqualTo("inactive/dead-resources-pinned success");
            assertThatThrownBy(() -> clean(peer, "state")).hasMessageContaining("NotSupported");
            clean(peer, "fdstore");
            assertThat(stage.state("a")).isEqualTo("inactive/dead success");
        }
    }

    private static void clean(BusConnection peer, String what) throws Exception {
        var _ =
                peer.object("/org/freedesktop/systemd1")
                        .call(
                                "org.freedesktop.systemd1.Manager",
                                "CleanUnit",
                                "sas",
                                "a.service",
                                List.of(what));
    }

    @Test
    void itIsReleasedWithAUnitThatNothingRefersTo() throws Exception {
        service(STORES_ONE, "FileDescriptorStoreMax=1", "FileDescriptorStorePreserve=yes");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.loaded()).doesNotContain("a.service");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        awaitOutput("given 0 [] mine", 2);
    }

    /**
     * A program that stores nothing, or removes again, a socket whose last close waits for a peer
     * that does not read.
     */
    private static String lingering(String message) {
        return Stage.LINGERING_CLIENT
                + """
                import threading
                notify("MESSAGE", client.fileno())
                # waits if the manager's is closed already
                threading.Thread(target=os.close, args=(client.detach(),), daemon=True).start()
                say("sent")
                signal.pause()
                """
                        .replace("MESSAGE", message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "STATUS=nobody wants it",
                "FDSTORE=1\\nFDNAME=kept\", client.fileno())\nnotify(\"FDSTOREREMOVE=1\\nFDNAME=kept"
            })
    void aSocketThatLingersHoldsUpNobody(String message) throws Exception {
        stage.service(
                "a",
                "NotifyAccess=all\nFileDescriptorStoreMax=1",
                "ExecStart=" + stage.python("a", lingering(message)));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        awaitOutput("sent", 1);
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
    }
}
