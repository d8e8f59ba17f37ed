package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Descriptors travel with their message, to clients that take them, and never with another message.
 */
@Timeout(120)
class DescriptorsTest {
    private final Fd[] pipe = Unistd.pipe2(0);

    @AfterEach
    void closePipe() {
        pipe[0].close();
        pipe[1].close();
    }

    private static MessageWriter carrying(TestClient a, TestClient to, int count) {
        return a.writer().methodCall("/p", "i.f", "M").destination(to.name()).unixFds(count);
    }

    private void assertIsThePipe(Fd got) {
        assertThat(inode(got)).isEqualTo(inode(pipe[0]));
    }

    private static long inode(Fd fd) {
        return fd.with(number -> {
            try {
                String target =
                        java.nio.file.Files.readSymbolicLink(
                                        java.nio.file.Path.of("/proc/self/fd/" + number))
                                .toString();
                return Long.parseLong(target.replaceAll("\\D", ""));
            } catch (java.io.IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        });
    }

    @EveryBus
    void aDescriptorArrivesAsTheSameFile(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int ignored = a.send(carrying(a, b, 2), pipe);
        try (Message got = b.read()) {
            assertThat(got.descriptors()).hasSize(2);
            assertIsThePipe(got.descriptors().getFirst());
        }
    }

    @EveryBus
    void authenticationHelloAndADescriptorInOneWrite(TestBus bus) throws Exception {
        bus.assumeIsNot(
                TestBus.Kind.DBUS_DAEMON, "takes descriptors only once they are negotiated");
        TestClient b = bus.connect();
        TestClient a = bus.silent();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(TestClient.sasl(true));
        all.writeBytes(TestClient.bytes(1, a.toBus(BUS, "Hello")));
        all.writeBytes(TestClient.bytes(2, a.call(b.name(), "First")));
        all.writeBytes(TestClient.bytes(3, carrying(a, b, 1)));
        int ignored = a.socket().send(ByteBuffer.wrap(all.toByteArray()), List.of(pipe[0]));

        assertThat(b.read().member()).isEqualTo("First");
        try (Message got = b.read()) {
            assertThat(got.descriptors()).hasSize(1);
            assertIsThePipe(got.descriptors().getFirst());
        }
    }

    @EveryBus
    void aSurplusDescriptorNeverMovesOn(TestBus bus) throws Exception {
        bus.assumeIsNot(
                TestBus.Kind.DBUS_DAEMON, "passes it on with the next message that declares some");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int ignored = a.send(a.call(b.name(), "M"), pipe[0]);
        assertThat(b.read().descriptors()).isEmpty();
        ignored = a.send(carrying(a, b, 1));

        assertThat(a.untilClosed()).isEmpty();
        assertThat(b.heard()).isEmpty();
    }

    @EveryBus
    void fewerThanDeclaredEndTheConnection(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        bus.assumeIsNot(TestBus.Kind.DBUS_DAEMON, "waits for more");
        int ignored = a.send(carrying(a, b, 2), pipe[0]);

        assertThat(a.untilClosed()).isEmpty();
        assertThat(b.heard()).isEmpty();
    }

    @EveryBus
    void whoDidNotAgreeMaySendNone(TestBus bus) throws Exception {
        TestClient a = bus.connectWithoutDescriptors();
        TestClient b = bus.connect();
        int ignored = a.send(carrying(a, b, 1), pipe[0]);

        assertThat(a.untilClosed()).isEmpty();
        assertThat(b.heard()).isEmpty();
    }

    @EveryBus
    void whoDidNotAgreeGetsNone(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connectWithoutDescriptors();
        int serial = a.send(carrying(a, b, 1), pipe[0]);

        assertThat(a.describe(a.answer(serial)))
                .isEqualTo(bus.isBroker() ? "Failed" : "NotSupported");
        assertThat(b.heard()).isEmpty();
    }

    @EveryBus
    void aBroadcastWithDescriptorsReachesThoseThatAgreed(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connectWithoutDescriptors();
        for (TestClient client : List.of(b, c)) {
            assertThat(client.tryBus(BUS, "AddMatch", "member='S'")).isEqualTo("return");
        }
        int ignored = a.send(a.signal("S").unixFds(1), pipe[0]);
        try (Message got = b.read()) {
            assertIsThePipe(got.descriptors().getFirst());
        }
        if (!bus.isBroker()) { // dbus-broker disconnects c
            assertThat(c.heard()).isEmpty();
        }
    }

    @EveryBus
    void credentialsWithoutTheDescriptorForWhoTakesNone(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_BROKER, "puts the caller off");
        TestClient a = bus.connectWithoutDescriptors();
        Message reply = a.callBus("GetConnectionCredentials", a.name());

        assertThat(a.describe(reply)).doesNotContain("ProcessFD").contains("ProcessID");
    }

    @EveryBus
    void severalMessagesKeepTheirDescriptors(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int i = 0; i < 30; i++) {
            int ignored = a.send(a.signal("S").destination(b.name()));
            ignored = a.send(a.signal("T").destination(b.name()).unixFds(1), pipe[i % 2]);
        }
        for (int i = 0; i < 30; i++) {
            assertThat(b.read().member()).isEqualTo("S");
            try (Message got = b.read()) {
                assertThat(got.descriptors()).hasSize(1);
            }
        }
    }

    @EveryBus
    void aLargeBodyWithADescriptorIsWhole(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        byte[] body = new byte[300_000];
        Arrays.fill(body, (byte) 7);
        Thread writer =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                int ignored =
                                        a.send(TestClient.body(carrying(a, b, 1), body), pipe[0]);
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        try (Message got = b.read()) {
            assertThat((byte[]) got.values().getFirst()).isEqualTo(body);
            assertIsThePipe(got.descriptors().getFirst());
        }
        writer.join();
    }

    @EveryBus
    void moreThanOneMessageMayHaveEndTheConnection(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_BROKER, "has no such limit");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        Fd[] many = new Fd[17];
        Arrays.fill(many, pipe[0]);
        int ignored = a.send(carrying(a, b, 16), Arrays.copyOf(many, 16));
        try (Message got = b.read()) {
            assertThat(got.descriptors()).hasSize(16);
        }
        ignored = a.send(carrying(a, b, 17), many);

        assertThat(a.untilClosed()).isEmpty();
        assertThat(b.heard()).isEmpty();
    }

    @Test
    void whatWaitsForAMessageHasALimit() throws Exception {
        Limits limits = Limits.BUILT_IN.with(BusLimit.MAX_INCOMING_UNIX_FDS, 4);
        try (TestBus bus = TestBus.ours(BusConfig.permissive().withLimits(limits))) {
            TestClient a = bus.connect();
            byte[] call = TestClient.bytes(9, carrying(a, a, 4));
            for (int i = 0; i < 4; i++) {
                int ignored = a.socket().send(ByteBuffer.wrap(call, i, 1), List.of(pipe[0]));
            }
            a.sendBytes(Arrays.copyOfRange(call, 4, call.length));
            try (Message got = a.read()) {
                assertThat(got.descriptors()).hasSize(4);
            }
            for (int i = 0; i < 5; i++) {
                int ignored = a.socket().send(ByteBuffer.wrap(call, i, 1), List.of(pipe[0]));
            }
            assertThat(a.untilClosed()).isEmpty();
        }
    }

    @Test
    void noneIsLeftBehind() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            TestClient without = bus.connectWithoutDescriptors();
            var _ = b.tryBus(BUS, "AddMatch", "member='S'");
            for (int i = 0; i < 50; i++) {
                int ignored = a.send(carrying(a, b, 2), pipe);
                ignored = a.send(carrying(a, without, 1), pipe[0]);
                ignored = a.send(a.call(b.name(), "surplus"), pipe[1]);
                ignored = a.send(a.signal("S").unixFds(1), pipe[0]);
                ignored = a.send(a.call("no.body", "M").unixFds(1), pipe[0]);
                ignored = a.send(a.toBus(BUS, "GetId").unixFds(1), pipe[0]);
            }
            var _ = a.messages();
        }
        before.awaitSameNumber();
    }
}
