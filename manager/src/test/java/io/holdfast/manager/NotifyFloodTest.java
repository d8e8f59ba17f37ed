package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.job.JobResult;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A service may send notify messages with descriptors whose close takes as long as it likes. */
@Timeout(120)
class NotifyFloodTest {
    /** More than may wait to be closed, and less than a process may have. */
    private static final int MESSAGES = 60;

    private static final int EACH = 250;

    /**
     * Sends sockets whose last close waits for a peer that does not read, until the sender's own
     * close of one has returned, so that the manager does the last close of that socket; then sends
     * others that wait behind it, until it is told to exit.
     */
    private static final String ATTACKER =
            "def lingering():\n"
                    + Stage.LINGERING_CLIENT.indent(4)
                    + """
                        return client, server, peer
                    import array, os, signal, socket, sys, threading, time
                    def send(*fds):
                        face.sendmsg([b"STATUS=x"],
                                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
                    face = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    face.connect(os.environ["NOTIFY_SOCKET"])
                    kept = []
                    def linger():
                        while True:
                            client, server, peer = lingering()
                            kept.extend([server, peer])
                            while True:
                                try:
                                    send(client.fileno())
                                    break
                                except PermissionError: # still
                                    time.sleep(0.01)
                            closing = threading.Thread(target=client.close, daemon=True)
                            closing.start()
                            closing.join(0.5)
                            if not closing.is_alive():
                                break
                    file = os.memfd_create("x")
                    refused = 0
                    while not refused: # the close of a socket may have been the other process's
                        linger()
                        for i in range(int(sys.argv[1])):
                            try:
                                send(*[file] * int(sys.argv[2]))
                            except PermissionError:
                                refused += 1
                    print("sent", "some refused", flush=True)
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

    private static int descriptors() {
        return Objects.requireNonNull(new File("/proc/self/fd").list()).length;
    }

    private String attacker() throws IOException {
        Path script = Files.writeString(folder.resolve("attacker.py"), ATTACKER);
        return "/usr/bin/python3 %s %d %d".formatted(script, MESSAGES, EACH);
    }

    /** Sends descriptors that are stored, and waits until all messages are handled, many times. */
    private String innocent() throws IOException {
        return stage.python(
                "innocent",
                """
                notify("READY=1")
                for i in range(50):
                    notify("FDSTORE=1\\nFDNAME=mine", os.memfd_create("x"))
                    r, w = os.pipe()
                    notify("BARRIER=1", w)
                    os.close(w)
                    os.read(r, 1)
                    notify("FDSTOREREMOVE=1\\nFDNAME=mine")
                say("done")
                signal.pause()
                """);
    }

    @Test
    @Needs(features = Feature.PASS_RIGHTS, programs = "python3")
    void descriptorsThatAreSlowToCloseAreBoundedAndTheirServiceAloneIsRefused() throws Exception {
        stage.service("attacker", "NotifyAccess=all", "ExecStart=" + attacker());
        stage.service(
                "innocent", "Type=notify\nFileDescriptorStoreMax=4", "ExecStart=" + innocent());
        int before = descriptors();
        assertThat(stage.start("attacker")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().await("sent ")).endsWith("sent some refused");
        int most = FdCloser.MAX_WAITING + 16 * EACH; // the socket's own queue is short
        assertThat(descriptors() - before).isLessThan(most);
        assertThat(stage.happenings().await("descriptors beside notify messages are refused"))
                .contains("attacker.service: ", FdCloser.MAX_WAITING + " are slow");

        assertThat(stage.start("innocent")).isEqualTo(JobResult.DONE);
        assertThat(stage.happenings().awaitOutput("innocent.service", "done")).isNotEmpty();
        assertThat(stage.status("attacker").processes()).hasSize(1);

        assertThat(stage.stop("attacker")).isEqualTo(JobResult.DONE);
        Await.until(() -> descriptors() <= before + EACH);
        assertThat(stage.start("attacker")).isEqualTo(JobResult.DONE);
        Await.until(() -> descriptors() > before + EACH); // messages are received again
        assertThat(stage.stop("attacker")).isEqualTo(JobResult.DONE);
    }
}
