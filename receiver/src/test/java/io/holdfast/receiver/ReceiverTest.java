package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.run.Run;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests a receiver with real sockets, clients and files. */
@Timeout(120)
class ReceiverTest {
    @TempDir private Path folder;
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private Receiver receiver;
    private Thread thread;

    @BeforeEach
    void open() throws Exception {
        receiver =
                Receiver.open(
                        new ReceiverOptions(
                                folder.resolve("run"), folder.resolve("log"), true, warnings::add));
        thread = Thread.ofPlatform().start(receiver::run);
    }

    @AfterEach
    void close() throws Exception {
        receiver.stop();
        thread.join();
        receiver.close();
    }

    private UnixAddress at(String name) {
        return UnixAddress.path(folder.resolve("run").resolve(name));
    }

    private void send(String socket, byte[] message) throws Exception {
        try (UnixSocket client = UnixSocket.connect(at(socket), SocketType.DATAGRAM)) {
            client.send(ByteBuffer.wrap(message));
        }
    }

    private List<Entry> entries(String field, String value) throws Exception {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            reader.filter(Match.field(field, value));
            reader.seekHead();
            List<Entry> found = new ArrayList<>();
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                found.add(entry);
            }
            return found;
        }
    }

    private Entry await(String field, String value) {
        List<Entry> found = new ArrayList<>();
        Await.until(() -> {
            try {
                found.addAll(entries(field, value));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return !found.isEmpty();
        });
        return found.getFirst();
    }

    @Test
    void aMessageOfSyslogIsStoredWithItsSender() throws Exception {
        send("dev-log", "<30>Dec  1 12:00:00 name[77]: what happened\n".getBytes(UTF_8));
        Entry entry = await("MESSAGE", "what happened");
        assertThat(entry.text("PRIORITY")).contains("6");
        assertThat(entry.text("SYSLOG_FACILITY")).contains("3");
        assertThat(entry.text("SYSLOG_IDENTIFIER")).contains("name");
        assertThat(entry.text("SYSLOG_PID")).contains("77");
        assertThat(entry.text("SYSLOG_TIMESTAMP")).contains("Dec  1 12:00:00 ");
        assertThat(entry.text("_TRANSPORT")).contains("syslog");
        assertThat(entry.text("_PID")).contains(Long.toString(ProcessHandle.current().pid()));
        assertThat(entry.text("_COMM")).contains("java");
        try (PidFd self = PidFd.self()) {
            assertThat(entry.text("_PIDFD_ID")).contains(Long.toUnsignedString(self.id()));
        }
    }

    @Test
    void aSyslogDaemonThatListensReceivesTheMessagesOfSyslogToo() throws Exception {
        try (UnixSocket daemon = UnixSocket.bind(at("syslog"))) {
            send("dev-log", "<13>me: hello".getBytes(UTF_8));

            ByteBuffer received = ByteBuffer.allocate(100);
            int size = daemon.receive(received);
            assertThat(new String(received.array(), 0, size, UTF_8)).isEqualTo("<13>me: hello");
        }
        Entry _ = await("MESSAGE", "hello");
        send("dev-log", "<13>me: it has gone".getBytes(UTF_8));
        Entry _ = await("MESSAGE", "it has gone");
        assertThat(warnings).isEmpty();
    }

    @Test
    @Needs(root = true)
    void aSyslogDaemonSeesTheSenderAndNotTheReceiver() throws Exception {
        String sender =
                "use IO::Socket::UNIX; "
                        + "IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $ARGV[0])"
                        + "->send('<13>me: hello'); sleep 1000";
        Spawn program = Spawn.of("perl", "-e", sender, folder.resolve("run/dev-log").toString());
        try (UnixSocket daemon = UnixSocket.bind(at("syslog"));
                Ancillary beside = Ancillary.ofDescriptors(0)) {
            daemon.passIdentity();
            try (Child child = program.start()) {
                int _ = daemon.receive(ByteBuffer.allocate(100), beside);
                Sender seen = beside.takeSender().orElseThrow();
                assertThat(seen.pid()).isEqualTo(child.pidFd().pid());
                seen.close();
                boolean _ = child.signal(Signal.KILL);
            }
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void whereUnitsHaveNoCgroupsAnAncestorThatTheManagerHasStartedNamesTheUnit() throws Exception {
        Path links = Files.createDirectories(folder.resolve("units/processes"));
        try (PidFd self = PidFd.self();
                PidFd parent = self.parent().orElseThrow()) {
            Path _ =
                    Files.createSymbolicLink(
                            links.resolve(Long.toUnsignedString(parent.id())),
                            Path.of("a.service"));
        }

        send("dev-log", "<13>me: syslog".getBytes(UTF_8));
        send("socket", "MESSAGE=native\n".getBytes(UTF_8));

        assertThat(await("MESSAGE", "syslog").text("_SYSTEMD_UNIT")).contains("a.service");
        assertThat(await("MESSAGE", "native").text("_SYSTEMD_UNIT")).contains("a.service");
    }

    @Test
    void aNativeMessageKeepsItsFieldsExceptTrustedOnes() throws Exception {
        send(
                "socket",
                "MESSAGE=native\nOWN=1\n_UID=0\n_SYSTEMD_UNIT=ssh.service\n".getBytes(UTF_8));
        Entry entry = await("MESSAGE", "native");
        assertThat(entry.text("OWN")).contains("1");
        assertThat(entry.text("_SYSTEMD_UNIT")).isNotEqualTo(java.util.Optional.of("ssh.service"));
        assertThat(entry.text("_TRANSPORT")).contains("journal");
    }

    @Test
    void aLargeMessageIsReadFromMemoryAndFromNoOtherFile() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "MESSAGE=from a file\n");
        try (UnixSocket client = UnixSocket.connect(at("socket"), SocketType.DATAGRAM);
                Fd opened = Fcntl.open(file.toString(), Fcntl.O_RDONLY);
                Fd memory = SysMemfd.make("message")) {
            byte[] text = ("MESSAGE=from memory\nX=" + "x".repeat(300_000) + "\n").getBytes(UTF_8);
            for (int at = 0; at < text.length; at += 1 << 16) {
                int most = Math.min(1 << 16, text.length - at);
                assertThat(Unistd.pwrite(memory, text, at, most, at)).isEqualTo(most);
            }
            client.send(ByteBuffer.allocate(0), List.of(opened));
            client.send(ByteBuffer.allocate(0), List.of(memory));
        }
        assertThat(await("MESSAGE", "from memory").text("X").orElseThrow()).hasSize(300_000);
        assertThat(entries("MESSAGE", "from a file")).isEmpty();
        assertThat(warnings).anyMatch(line -> line.contains("not in memory"));
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "logger"})
    void aUserWhoFloodsLosesOwnMessagesOnly() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Run flood =
                Run.of(
                        "setpriv",
                        "--reuid=65534",
                        "--clear-groups",
                        "sh",
                        "-c",
                        "seq 12000 | logger -t flood -u " + folder.resolve("run/dev-log"));
        assertThat(flood.run().error()).isEmpty();
        send("dev-log", "<14>innocent: heard".getBytes(UTF_8));
        assertThat(await("MESSAGE", "heard").text("_UID")).contains("0");
        assertThat(entries("SYSLOG_IDENTIFIER", "flood")).hasSize(10_000);
    }

    @Test
    void eachLineOfAStreamIsAnEntry() throws Exception {
        try (UnixSocket client = UnixSocket.connect(at("stdout"), SocketType.STREAM)) {
            String text = "me\nx.service\n30\n1\n0\n0\n0\nfirst\n<3>second\n\nrest";
            client.sendFully(ByteBuffer.wrap(text.getBytes(UTF_8)));
        }
        Entry rest = await("MESSAGE", "rest");
        assertThat(rest.text("_LINE_BREAK")).contains("eof");
        Entry second = await("MESSAGE", "second");
        assertThat(second.text("PRIORITY")).contains("3");
        assertThat(second.text("SYSLOG_FACILITY")).contains("3");
        assertThat(second.text("SYSLOG_IDENTIFIER")).contains("me");
        assertThat(second.text("_STREAM_ID")).isEqualTo(rest.text("_STREAM_ID"));
    }

    @Test
    @Needs(root = true)
    void aStreamThatRootConnectsNamesItsUnitAndEachWriter() throws Exception {
        Path stdout = folder.resolve("run/stdout");
        String script =
                """
                import socket, os
                s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                s.connect("%s")
                s.sendall(b"me\\nx.service\\n6\\n1\\n0\\n0\\n0\\nparent\\n")
                if os.fork() == 0:
                    s.sendall(b"child\\n")
                    os._exit(0)
                os.wait()
                """
                        .formatted(stdout);
        assertThat(Run.of("python3", "-c", script).run().exit().isSuccess()).isTrue();
        Entry parent = await("MESSAGE", "parent");
        Entry child = await("MESSAGE", "child");
        assertThat(parent.text("_SYSTEMD_UNIT")).contains("x.service");
        assertThat(child.text("_SYSTEMD_UNIT")).contains("x.service");
        assertThat(child.text("_PID")).isNotEqualTo(parent.text("_PID")).isPresent();
    }

    @Test
    @Needs(programs = "journalctl")
    void journalctlReadsWhatWasStored() throws Exception {
        send("dev-log", "<14>prog: for journalctl".getBytes(UTF_8));
        Entry _ = await("MESSAGE", "for journalctl");
        receiver.flush();
        String shown =
                Run.of(
                                "journalctl",
                                "--no-pager",
                                "-D",
                                folder.resolve("log").toString(),
                                "-o",
                                "cat",
                                "-t",
                                "prog")
                        .run()
                        .output();
        assertThat(shown).isEqualTo("for journalctl\n");
    }
}
