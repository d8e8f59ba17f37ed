package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.JournalSocket;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The output of units goes to a receiver of log messages, if there is one. */
@Timeout(60)
@Needs(root = true, cgroup2 = true)
class JournalOutputTest {

    private Path socket;
    private Stage stage;

    @BeforeEach
    void open(@TempDir Path folder) throws Exception {
        socket = folder.resolve("stdout");
        UnitName passedOn = UnitName.of("early.service");
        stage =
                Stage.with(
                        folder,
                        options ->
                                options.withJournal(
                                        new JournalSocket(socket, Set.of(passedOn), Set.of())));
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private UnixListener listen() {
        return UnixListener.listen(
                new UnixAddress.PathName(socket.toString()), SocketType.STREAM, 8, 0600);
    }

    private static List<String> linesOf(UnixListener listener) throws Exception {
        try (UnixSocket accepted = listener.accept()) {
            return new String(accepted.inputStream().readAllBytes(), UTF_8).lines().toList();
        }
    }

    /** Returns the lines without the invocation id, which differs each time. */
    private static List<String> stableLinesOf(UnixListener listener) throws Exception {
        return linesOf(listener).stream()
                .map(line -> line.replaceFirst("(?<=\\.service) [0-9a-f]{32}$", " ID"))
                .toList();
    }

    @Test
    void aConnectionNamesTheRun() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStart=/bin/sh -c 'echo $INVOCATION_ID'");
        try (UnixListener listener = listen()) {
            stage.start("a.service");
            List<String> lines = linesOf(listener);
            assertThat(lines.get(1)).isEqualTo("a.service " + lines.get(7));
        }
    }

    @Test
    void aConnectionCarriesTheHeaderAndBothStreams() throws Exception {
        stage.service(
                "a", "Type=oneshot", "ExecStart=/bin/sh -c 'echo out; echo err >&2; echo more'");
        try (UnixListener listener = listen()) {
            stage.start("a.service");
            assertThat(stableLinesOf(listener))
                    .containsExactly(
                            "sh", "a.service ID", "30", "1", "0", "0", "0", "out", "err", "more");
        }
        assertThat(stage.happenings().lines()).noneMatch(line -> line.contains("a.service |"));
    }

    @Test
    void theUnitDescribesItsLines() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "ExecStart=/bin/true",
                "StandardOutput=journal+console",
                "SyslogIdentifier=%p-x",
                "SyslogFacility=local3",
                "SyslogLevel=warning",
                "SyslogLevelPrefix=no");
        try (UnixListener listener = listen()) {
            stage.start("a.service");
            assertThat(stableLinesOf(listener))
                    .containsExactly("a-x", "a.service ID", "156", "0", "0", "0", "1");
        }
    }

    @Test
    void aProgramRecognizesItsConnection() throws Exception {
        stage.service(
                "a",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo $JOURNAL_STREAM; stat -Lc %%d:%%i /dev/stderr'");
        try (UnixListener listener = listen()) {
            stage.start("a.service");
            List<String> lines = linesOf(listener);
            assertThat(lines.get(7)).matches("[0-9]+:[0-9]+").isEqualTo(lines.get(8));
        }
    }

    @Test
    void otherOutputsDoNotConnect() throws Exception {
        Path file = stage.folder().resolve("out");
        stage.service(
                "a",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'echo stream: $JOURNAL_STREAM'",
                "StandardOutput=file:" + file);
        stage.service("b", "Type=oneshot", "ExecStart=/bin/echo b");
        try (UnixListener listener = listen()) {
            stage.start("a.service");
            stage.start("b.service");
            assertThat(stableLinesOf(listener)).contains("b.service ID", "b");
        }
        assertThat(file).hasContent("stream:");
    }

    @Test
    void theOutputPassesThroughTheManagerIfThereIsNoReceiver() throws Exception {
        stage.service(
                "a", "Type=oneshot", "ExecStartPre=/bin/echo first", "ExecStart=/bin/echo second");
        assertThat(stage.start("a.service")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("a.service", "first");
        stage.happenings().awaitOutput("a.service", "second");
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.contains("passes through the manager"))
                .hasSize(1);
    }

    @Test
    void theOutputPassesThroughTheManagerIfTheReceiverDoesNotAccept() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStart=/bin/echo a");
        try (UnixListener listener =
                        UnixListener.listen(
                                new UnixAddress.PathName(socket.toString()),
                                SocketType.STREAM,
                                0,
                                0600);
                UnixSocket _ = UnixSocket.connect(listener.address(), SocketType.STREAM)) {
            stage.start("a.service");
            stage.happenings().awaitOutput("a.service", "a");
        }
    }

    @Test
    void someUnitsNeverConnect() throws Exception {
        stage.service("early", "Type=oneshot", "ExecStart=/bin/echo a");
        stage.service("b", "Type=oneshot", "ExecStart=/bin/echo b");
        try (UnixListener listener = listen()) {
            stage.start("early.service");
            stage.happenings().awaitOutput("early.service", "a");
            stage.start("b.service");
            assertThat(stableLinesOf(listener)).contains("b.service ID");
        }
    }
}
