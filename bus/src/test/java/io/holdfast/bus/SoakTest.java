package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Clients come, do everything that clients do, and leave in every state that they can be in:
 * nothing is left behind.
 */
class SoakTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");
    private static final int CLIENTS = LONG ? 1_000 : 60;
    private static final int STEPS = LONG ? 300_000 : 2_500;
    private static final int MONITORS = 2;
    private static final int LONG_SECONDS = 3_600;
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    private static final String WAITED_FOR = "s.waits";
    private static final String FAILING = "s.fails";

    private final Gen gen =
            new Gen(Long.getLong("holdfast.seed", new SplittableRandom().nextLong()));
    private final List<TestClient> clients = new ArrayList<>();
    private final List<TestClient> monitors = new ArrayList<>();
    private final Fd[] pipe = Unistd.pipe2(0);

    @TempDir private Path folder;

    @AfterEach
    void closePipe() {
        pipe[0].close();
        pipe[1].close();
    }

    private TestBus bus() throws IOException {
        offer(WAITED_FOR, "SystemdService=waits.service\n"); // no service manager starts it
        offer(FAILING, "");
        Limits limits =
                Limits.BUILT_IN
                        .with(BusLimit.MAX_CONNECTIONS_PER_USER, 2_000)
                        .with(BusLimit.MAX_REPLIES_PER_CONNECTION, 100_000);
        return TestBus.oursWithSystemdActivation(
                BusConfig.permissive()
                        .withLimits(limits)
                        .withServiceFolders(List.of(new ServiceFolder(folder, false))));
    }

    private void offer(String name, String more) throws IOException {
        Files.writeString(
                folder.resolve(name + ".service"),
                "[D-BUS Service]\nName=%s\nExec=/bin/false\n%s".formatted(name, more));
    }

    @Test
    @Timeout(LONG_SECONDS)
    void clientsThatComeAndGoAtEveryStateLeaveNothing() throws Exception {
        try (TestBus bus = bus()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            live(bus, STEPS / 10, a, b); // until all code is loaded
            Remains before = Remains.of(bus, 2);
            live(bus, STEPS, a, b);
            before.awaitNoMore(bus);
            HostileTest.assertPings(a, b);
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
    }

    private void live(TestBus bus, int steps, TestClient a, TestClient b) throws Exception {
        for (int step = 0; step < steps; step++) {
            if (clients.size() < CLIENTS && gen.chance(0.5)) {
                arrive(bus);
            }
            if (clients.size() > 1) {
                act();
            }
            if (!monitors.isEmpty() && gen.chance(0.01)) {
                leaveAsMonitor();
            }
            if (step % 50 == 0) {
                HostileTest.assertPings(a, b);
            }
        }
        while (!clients.isEmpty()) {
            leave(clients.getLast());
        }
        while (!monitors.isEmpty()) {
            leaveAsMonitor();
        }
    }

    /** Connects a client, which may leave before it has a name. */
    private void arrive(TestBus bus) throws InterruptedException {
        TestClient client = bus.unkept();
        byte[] sasl = TestClient.sasl(true);
        switch (gen.between(0, 19)) {
            case 0 -> client.close();
            case 1 -> {
                client.sendBytes(Arrays.copyOf(sasl, gen.between(0, sasl.length)));
                client.close();
            }
            case 2 -> client.authenticate(true).close();
            case 3 -> {
                int ignored = client.authenticate(true).send(client.toBus(BUS, "Hello"));
                client.close();
            }
            case 4 -> {
                int ignored = client.authenticate(true).send(client.signal("BeforeHello"));
                client.close();
            }
            default -> clients.add(client.authenticate(true).hello());
        }
    }

    private void act() throws InterruptedException {
        TestClient one = gen.oneOf(clients);
        TestClient other = gen.oneOf(clients);
        String name = "n.n" + gen.between(0, 9);
        int ignored =
                switch (gen.between(0, 15)) {
                    case 0 -> one.send(one.call(other.name(), "IsNeverAnswered"));
                    case 1 -> one.send(one.signal("S"));
                    case 2, 3 -> one.send(toBus(one, "RequestName", name, gen.between(0, 7)));
                    case 4 -> one.send(toBus(one, "ReleaseName", name));
                    case 5 -> one.send(toBus(one, "AddMatch", rule()));
                    case 6 -> one.send(toBus(one, "RemoveMatch", rule()));
                    case 7 -> sendLarge(one, other);
                    case 8 -> sendDescriptors(one, other);
                    case 9 -> one.send(one.call(WAITED_FOR, "M"));
                    case 10 -> takeWhatIsWaitedFor(one);
                    case 11 ->
                            gen.chance(0.1)
                                    ? one.send(toBus(one, "StartServiceByName", FAILING, 0))
                                    : one.send(one.call(name, "M"));
                    case 12, 13 -> talk(one, other);
                    case 14 -> gen.chance(0.2) ? becomeMonitor(one) : 0;
                    default -> leave(one);
                };
    }

    private static MessageWriter toBus(TestClient client, String member, Object... arguments) {
        return client.toBus(BUS, member, arguments);
    }

    private String rule() {
        return gen.oneOf("member='S'", "sender='n.n3'", "arg0='x'", "path_namespace='/a'");
    }

    private int sendLarge(TestClient one, TestClient other) throws InterruptedException {
        byte[] body = new byte[gen.between(20_000, 400_000)];
        return one.send(TestClient.body(one.call(other.name(), "Large"), body));
    }

    private int sendDescriptors(TestClient one, TestClient other) throws InterruptedException {
        return one.send(one.call(other.name(), "Descriptors").unixFds(2), pipe);
    }

    /** Delivers the messages that waited for the name. */
    private static int takeWhatIsWaitedFor(TestClient one) throws InterruptedException {
        int ignored = one.send(toBus(one, "RequestName", WAITED_FOR, 4));
        var _ = answerAll(one);
        return one.send(toBus(one, "ReleaseName", WAITED_FOR));
    }

    /** Makes a call and its reply. A client that reads has not been disconnected. */
    private static int talk(TestClient one, TestClient other) throws InterruptedException {
        var _ = answerAll(one);
        int call = one.send(one.call(other.name(), "IsAnswered"));
        List<Integer> replies = new ArrayList<>(answerAll(one)); // the bus has handled the call
        if (one != other) {
            var _ = answerAll(other);
        }
        replies.addAll(answerAll(one));
        assertThat(replies).as("%s asked %s", one.name(), other.name()).contains(call);
        return call;
    }

    /**
     * Replies to all calls that arrived; returns the serials of the calls that received a reply.
     */
    private static List<Integer> answerAll(TestClient client) throws InterruptedException {
        List<Integer> replies = new ArrayList<>();
        for (Message message : client.messages()) {
            if (message.type() == MessageType.METHOD_CALL) {
                int ignored =
                        client.send(
                                client.writer()
                                        .methodReturn(message.serial())
                                        .destination(String.valueOf(message.sender())));
            }
            replies.add(message.replySerial());
            message.close();
        }
        var _ = client.callBus("GetId"); // the bus has handled them
        return replies;
    }

    private int becomeMonitor(TestClient one) throws InterruptedException {
        if (monitors.size() < MONITORS) {
            clients.remove(one);
            monitors.add(one);
            return one.send(one.toBus(MONITORING, "BecomeMonitor", List.of(), 0));
        }
        return 0;
    }

    private void leaveAsMonitor() throws InterruptedException {
        try (TestClient monitor = monitors.removeFirst()) {
            if (gen.chance(0.5)) {
                int ignored = monitor.send(toBus(monitor, "GetId")); // monitors must not send
            }
        } catch (ErrnoException e) {
            // it was disconnected, as it does not read
        }
    }

    /** Ends one client, in one of several ways. */
    private int leave(TestClient one) throws InterruptedException {
        clients.remove(one);
        try (one) {
            byte[] message =
                    TestClient.bytes(
                            99_999_999,
                            TestClient.body(one.call("no.body", "M").unixFds(1), "x")
                                    .flags(MessageFlags.NO_REPLY_EXPECTED));
            int cut = gen.between(1, message.length - 1);
            switch (gen.between(0, 5)) {
                case 0 -> one.sendBytes(Arrays.copyOf(message, cut));
                case 1 -> {
                    int ignored =
                            one.socket().send(ByteBuffer.wrap(message, 0, cut), List.of(pipe[0]));
                }
                case 2 -> {
                    message[0] = 'x';
                    one.sendBytes(message);
                }
                case 3 -> one.socket().shutdownOutput();
                case 4 -> one.socket().shutdown();
                default -> {} // closes at once
            }
        }
        return 0;
    }
}
