package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** One user attacks the receiver without a pause; another one's messages arrive meanwhile. */
@Timeout(180)
@Needs(root = true, programs = "python3")
class HostileSendersTest {
    private static final int MESSAGES = 30;

    /** Each attack says "begun" after its first round, and goes on until it is killed. */
    private static final String ATTACKS =
            """
            import array, os, resource, socket, sys
            attack, folder, scratch = sys.argv[1:4]
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            os.setgroups([])
            os.setgid(61001)
            os.setuid(61001)
            held = []

            def datagram(data, fds=()):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.connect(folder + "/socket")
                try:
                    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                        array.array("i", fds))] if fds else [])
                except OSError:
                    pass
                s.close()

            def streams():
                for i in range(10000):
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    s.connect(folder + "/stdout")
                    try:
                        s.sendall(b"me\\n\\n6\\n0\\n0\\n0\\n0\\nno end of a line" + b"x" * 9000)
                    except OSError:
                        pass
                    held.append(s)
                while len(held) > 600:
                    held.pop(0).close()

            def descriptors():
                r, w = os.pipe()
                for i in range(50):
                    datagram(b"", [r] * 253)
                os.close(r)
                os.close(w)

            def fields():
                for i in range(20):
                    datagram(b"A%d=" % i + b"x" * 150000 + b"\\n")
                    datagram(b"".join(b"F%d=1\\n" % n for n in range(9000)))

            def memory():
                f = os.memfd_create("grows")
                os.write(f, b"MESSAGE=grows\\n" * 1000)
                for i in range(50):
                    datagram(b"", [f])
                    os.write(f, b"X=1\\n" * 50000)
                    os.ftruncate(f, 100 if i % 2 else 1 << 40)
                os.close(f)

            def pipes():
                path = scratch + "/fifo"
                if not os.path.exists(path):
                    os.mkfifo(path)
                f = os.open(path, os.O_RDWR)
                for i in range(50):
                    datagram(b"", [f])
                os.close(f)

            def beyond():
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.connect(folder + "/socket")
                for i in range(10001):
                    s.send(b"MESSAGE=flood")
                pipes()

            globals()[attack]()
            print("begun", flush=True)
            while True:
                globals()[attack]()
            """;

    @TempDir private Path folder;
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private Receiver receiver;
    private Thread thread;

    @BeforeEach
    void open() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        receiver =
                Receiver.open(
                        new ReceiverOptions(
                                folder.resolve("run"), folder.resolve("log"), true, warnings::add));
        thread = Thread.ofPlatform().start(receiver::run);
    }

    @AfterEach
    void close() throws InterruptedException {
        receiver.stop();
        thread.join();
        receiver.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"streams", "descriptors", "fields", "memory", "pipes"})
    void anotherSendersMessagesArriveDuringAnAttack(String attack) throws Exception {
        Path scratch = Files.createDirectory(folder.resolve("scratch"));
        Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxrwxrwx"));
        long quiet = timeOfMessages("quiet");
        try (Child child = attacker(attack, scratch).start();
                BufferedReader said =
                        new BufferedReader(new InputStreamReader(child.stdout(), UTF_8))) {
            assertThat(said.readLine()).isEqualTo("begun");
            long attacked = timeOfMessages("attacked");
            assertThat(child.exit()).as("the attack goes on").isEmpty();
            IO.println(
                    "%s: %d ms for %d messages, %d ms without an attack"
                            .formatted(attack, attacked / 1_000_000, MESSAGES, quiet / 1_000_000));
            boolean _ = child.signal(Signal.KILL);
            var _ = child.await();
        }
        assertThat(warnings.size()).as("warnings are throttled: %s", warnings).isLessThan(20);
    }

    /** The file that a message brings is not even looked at. */
    @Test
    void aMessageBeyondTheRateOfItsUserIsNotRead() throws Exception {
        Path scratch = Files.createDirectory(folder.resolve("scratch"));
        Files.setPosixFilePermissions(scratch, PosixFilePermissions.fromString("rwxrwxrwx"));
        try (Child child = attacker("beyond", scratch).start();
                BufferedReader said =
                        new BufferedReader(new InputStreamReader(child.stdout(), UTF_8))) {
            assertThat(said.readLine()).isEqualTo("begun");
            boolean _ = child.signal(Signal.KILL);
            var _ = child.await();
        }
        datagram("socket", "MESSAGE=after\n");
        Await.until(() -> isStored("after"));
        assertThat(warnings).isEmpty();
    }

    private Spawn attacker(String attack, Path scratch) throws IOException {
        Path script = Files.writeString(folder.resolve("attack.py"), ATTACKS);
        return Spawn.of(
                        "python3",
                        script.toString(),
                        attack,
                        folder.resolve("run").toString(),
                        scratch.toString())
                .stdin(Stdio.devNull())
                .stdout(Stdio.pipe());
    }

    /** Sends messages, each when the last one is stored; by all three protocols. */
    private long timeOfMessages(String name) throws Exception {
        long begin = System.nanoTime();
        try (UnixSocket stream =
                UnixSocket.connect(
                        UnixAddress.path(folder.resolve("run/stdout")), SocketType.STREAM)) {
            send(stream, name + "\n\n6\n0\n0\n0\n0\n");
            for (int i = 0; i < MESSAGES; i++) {
                switch (i % 3) {
                    case 0 -> send(stream, name + " " + i + "\n");
                    case 1 -> datagram("socket", "MESSAGE=" + name + " " + i + "\n");
                    default -> datagram("dev-log", "<14>me: " + name + " " + i);
                }
                String message = name + " " + i;
                Await.until(() -> isStored(message));
            }
        }
        return System.nanoTime() - begin;
    }

    private static void send(UnixSocket socket, String text) throws InterruptedException {
        socket.sendFully(ByteBuffer.wrap(text.getBytes(UTF_8)));
    }

    private void datagram(String name, String text) throws InterruptedException {
        try (UnixSocket socket =
                UnixSocket.connect(
                        UnixAddress.path(folder.resolve("run").resolve(name)),
                        SocketType.DATAGRAM)) {
            send(socket, text);
        }
    }

    private boolean isStored(String message) {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            reader.filter(Match.field("MESSAGE", message));
            return reader.next() != null;
        }
    }
}
