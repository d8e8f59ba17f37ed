package io.holdfast.varlink;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A server whose process may open few descriptors leaves some of them to each user. */
@Timeout(60)
@Needs(root = true)
class DescriptorShortageTest {
    private static final int LIMIT = 128;
    private static final int LARGER_LIMIT = 2048;
    private static final int SPARE = 4; // opened once, and kept open
    private static final int MORE_THAN_CLOSER_THREADS = 70;

    private static final int MANY = 200;
    private static final int ENOUGH = 5; // times so many exceed a user's share of the larger limit

    private static final long GREEDY = 20001;
    private static final long INNOCENT = 20002;

    /**
     * The server, in its own JVM: prints how many descriptors are open and what it has logged, line
     * by line.
     */
    static final class SmallServer {
        static void main(String[] arguments) throws Exception {
            FullTable.limit(Integer.parseInt(arguments[0]), Fd.class, VarlinkServer.class);
            try (TestService service = new TestService();
                    BufferedReader in =
                            new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
                try (VarlinkClient warm = service.client()) { // loading classes opens descriptors
                    assertThat(warm.call("io.holdfast.test.Echo")).isEqualTo(JsonObject.EMPTY);
                }
                System.out.println(service.name);
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    System.out.println(
                            line.equals("log")
                                    ? String.join("\t", RecordedLog.lines())
                                    : OpenDescriptors.now().count());
                }
            }
        }
    }

    private static void assertServes(UnixSocket socket) throws InterruptedException {
        socket.sendFully(
                ByteBuffer.wrap("{\"method\":\"io.holdfast.test.Echo\"}\0".getBytes(US_ASCII)));
        ByteBuffer reply = ByteBuffer.allocate(100);
        assertThat(socket.receive(reply)).isPositive();
        assertThat(US_ASCII.decode(reply.flip()).toString()).isEqualTo("{\"parameters\":{}}\0");
    }

    /**
     * Opens connections that send descriptors with a call that never ends. Each sends its own
     * descriptor, so that the server sees no end when the client closes it.
     */
    private static List<UnixSocket> takeWhatIsGiven(UnixAddress address) throws Exception {
        List<UnixSocket> taken = new ArrayList<>();
        AsUser.of(
                GREEDY,
                () -> {
                    for (int i = 0; i < LIMIT; i++) {
                        UnixSocket socket = UnixSocket.connect(address, SocketType.STREAM);
                        taken.add(socket);
                        try {
                            int _ =
                                    socket.trySend(
                                            ByteBuffer.wrap(new byte[] {'{'}),
                                            List.of(socket.fd(), socket.fd()));
                        } catch (ErrnoException e) {
                            // already refused
                        }
                    }
                });
        return taken;
    }

    private static Process server(int limit) throws IOException {
        return new ProcessBuilder(
                        ChildJvm.command(
                                List.of("-Dio.holdfast.varlink.pendingDescriptors=3000"),
                                SmallServer.class,
                                Integer.toString(limit)))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void oneUserCannotTakeAll() throws Exception {
        Process server = server(LIMIT);
        try (BufferedReader output = server.inputReader();
                Writer input = server.outputWriter()) {
            UnixAddress address = UnixAddress.abstractName(output.readLine());
            int open = count(input, output);
            try (UnixSocket early = UnixSocket.connect(address, SocketType.STREAM)) {
                List<UnixSocket> greedy = takeWhatIsGiven(address);
                assertServes(early);
                AsUser.of(
                        INNOCENT,
                        () -> {
                            try (UnixSocket late = UnixSocket.connect(address, SocketType.STREAM)) {
                                assertServes(late);
                            }
                        });
                assertThat(count(input, output)).isLessThan(LIMIT / 2 + open);
                assertThat(request("log", input, output).split("\t"))
                        .hasSizeBetween(1, 2)
                        .allMatch(line -> line.contains("user " + GREEDY + " holds"))
                        .allMatch(line -> line.contains("raise RLIMIT_NOFILE"));
                greedy.forEach(UnixSocket::close);
                assertServes(early);
            }
            Await.until(() -> count(input, output) <= open + SPARE);
        } finally {
            server.destroy();
            int _ = server.waitFor();
        }
    }

    private static UnixSocket connectAs(long user, UnixAddress address) throws Exception {
        AtomicReference<UnixSocket> connected = new AtomicReference<>();
        AsUser.of(user, () -> connected.set(UnixSocket.connect(address, SocketType.STREAM)));
        return connected.get();
    }

    /** Begins a call with descriptors, and closes them here. */
    private static void sendBegin(UnixSocket socket, List<Fd> descriptors) throws Exception {
        assertThat(socket.send(ByteBuffer.wrap(new byte[] {' '}), descriptors)).isEqualTo(1);
        descriptors.forEach(Fd::close);
    }

    private static List<Fd> files() {
        return Stream.generate(() -> Fcntl.open("/dev/null", Fcntl.O_RDONLY)).limit(MANY).toList();
    }

    private static boolean servesWithFiles(UnixSocket socket) throws Exception {
        try {
            sendBegin(socket, files());
            assertServes(socket);
            return true;
        } catch (ErrnoException | AssertionError e) {
            return false; // disconnected
        }
    }

    @Test
    void whatIsClosedSlowlyStaysChargedAndDelaysNoOtherUser() throws Exception {
        Process server = server(LARGER_LIMIT);
        List<LingeringSocket> lingering = new ArrayList<>();
        try (BufferedReader output = server.inputReader();
                Writer input = server.outputWriter()) {
            UnixAddress address = UnixAddress.abstractName(output.readLine());
            int open = count(input, output);
            try (UnixSocket greedy = connectAs(GREEDY, address)) {
                for (int i = 0; i < MORE_THAN_CLOSER_THREADS; i++) {
                    lingering.add(LingeringSocket.make());
                }
                sendBegin(greedy, lingering.stream().map(LingeringSocket::fd).toList());
                assertServes(greedy);
                try (UnixSocket innocent = connectAs(INNOCENT, address)) {
                    sendBegin(innocent, files());
                    assertServes(innocent);
                }
                int most = open + SPARE + MORE_THAN_CLOSER_THREADS + 2; // and the connection
                Await.until(() -> count(input, output) <= most);

                int served = 0;
                while (served < ENOUGH && servesWithFiles(greedy)) {
                    served++;
                }
                assertThat(served).as("it is refused").isLessThan(ENOUGH);
            }
            try (UnixSocket again = connectAs(GREEDY, address)) {
                assertThat(servesWithFiles(again)).as("it is refused still").isFalse();
            }
            assertThat(request("log", input, output).split("\t"))
                    .isNotEmpty()
                    .allMatch(line -> line.contains("user " + GREEDY + " holds"))
                    .allMatch(line -> line.contains("raise RLIMIT_NOFILE"));
            for (LingeringSocket each : lingering) {
                each.end();
            }
            Await.until(() -> count(input, output) <= open + SPARE);
        } finally {
            for (LingeringSocket each : lingering) {
                each.close(); // the exit of the server waits for them, too
            }
            server.destroy();
            int _ = server.waitFor();
        }
    }

    private static int count(Writer input, BufferedReader output) {
        return Integer.parseInt(request("count", input, output));
    }

    private static String request(String command, Writer input, BufferedReader output) {
        try {
            input.write(command + "\n");
            input.flush();
            return output.readLine();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
