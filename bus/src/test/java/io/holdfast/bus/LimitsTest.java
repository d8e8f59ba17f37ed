package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.wire.Message;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each limit at its edge: what fits is served, one more is refused, and room is freed again. */
@Timeout(60)
class LimitsTest {
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";

    @TempDir private Path folder;

    private static TestBus limited(BusLimit limit, long value) {
        return TestBus.ours(BusConfig.permissive().withLimits(Limits.BUILT_IN.with(limit, value)));
    }

    @Test
    void names() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_NAMES_PER_CONNECTION, 3)) {
            TestClient a = bus.connect();
            assertThat(a.query("RequestName", "n.a", 0)).isEqualTo(1L);
            assertThat(a.query("RequestName", "n.b", 0)).isEqualTo(1L);
            Message error = a.callBus("RequestName", "n.c", 0);
            assertThat(a.describe(error)).isEqualTo("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains("max_names_per_connection", "3 of 3");
            assertThat(a.query("RequestName", "n.a", 0)).as("has it already").isEqualTo(4L);
            assertThat(a.query("ReleaseName", "n.a")).isEqualTo(1L);
            assertThat(a.query("RequestName", "n.c", 0)).isEqualTo(1L);
            assertThat(bus.connect().query("RequestName", "n.a", 0)).isEqualTo(1L);
        }
    }

    @Test
    void matchRules() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_MATCH_RULES_PER_CONNECTION, 2)) {
            TestClient a = bus.connect();
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");
            assertThat(a.tryBus(BUS, "RemoveMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
            assertThat(bus.connect().tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
        }
    }

    @Test
    void repliesThatAreWaitedFor() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_REPLIES_PER_CONNECTION, 2)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int first = a.send(a.call(b.name(), "One"));
            int ignored = a.send(a.call(b.name(), "Two"));
            assertThat(a.describe(a.answer(a.send(a.call(b.name(), "Three")))))
                    .isEqualTo("LimitsExceeded");
            Message call = b.read();
            ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
            assertThat(a.describe(a.answer(first))).isEqualTo("return");
            ignored = a.send(a.call(b.name(), "Four"));
            assertThat(a.heard()).isEmpty(); // the bus has handled it

            assertThat(b.heard()).containsExactly("Two", "Four");
        }
    }

    @Test
    void bytesThatWaitForAService() throws Exception {
        Files.writeString(
                folder.resolve("s.service"), "[D-BUS Service]\nName=s.s\nExec=/bin/true\n");
        int length;
        try (TestBus bus = TestBus.ours()) {
            TestClient a = bus.connect();
            length = TestClient.bytes(1, TestClient.body(a.call("s.s", "M"), 1)).length;
        }
        BusConfig config =
                BusConfig.permissive()
                        .withLimits(Limits.BUILT_IN.with(BusLimit.MAX_INCOMING_BYTES, 2L * length))
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)));
        try (TestBus bus = TestBus.ours(config)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int ignored = a.send(TestClient.body(a.call("s.s", "M"), 1));
            ignored = a.send(TestClient.body(a.call("s.s", "M"), 2));
            Message error = a.answer(a.send(TestClient.body(a.call("s.s", "M"), 3)));
            assertThat(a.describe(error)).isEqualTo("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains(
                            "max_incoming_bytes",
                            "%d of %d used".formatted(2 * length, 2 * length));
            ignored = b.send(TestClient.body(b.call("s.s", "M"), 4));
            assertThat(b.heard()).as("another's are not full").isEmpty();

            TestClient service = bus.connect();
            assertThat(service.query("RequestName", "s.s", 0)).isEqualTo(1L);
            assertThat(service.query("ReleaseName", "s.s")).isEqualTo(1L);
            assertThat(service.heard())
                    .containsExactly("NameAcquired(s.s)", "M(1)", "M(2)", "M(4)", "NameLost(s.s)");
            ignored = a.send(TestClient.body(a.call("s.s", "M"), 5));
            ignored = a.send(TestClient.body(a.call("s.s", "M"), 6));
            assertThat(a.heard()).as("there is room again").isEmpty();
        }
    }

    @Test
    void replyTime() throws Exception {
        try (TestBus bus = limited(BusLimit.REPLY_TIMEOUT, 200)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int serial = a.send(a.call(b.name(), "M"));
            assertThat(a.describe(a.answer(serial))).isEqualTo("NoReply");
            Message call = b.read();
            int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
            var _ = b.heard();

            assertThat(a.heard()).as("too late").isEmpty();
        }
    }

    @Test
    void connectionsInAll() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_COMPLETED_CONNECTIONS, 2)) {
            assertOnlyTwo(bus);
        }
    }

    @Test
    void connectionsOfAUser() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_CONNECTIONS_PER_USER, 2)) {
            assertOnlyTwo(bus);
        }
    }

    private static void assertOnlyTwo(TestBus bus) throws InterruptedException {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient late = bus.silent().authenticate(true);
        assertThat(late.tryBus(BUS, "Hello")).isEqualTo("LimitsExceeded");
        b.close();
        while (a.query("NameHasOwner", b.name()).equals(true)) {
            Await.pause();
        }
        assertThat(late.hello().name()).startsWith(":1.");
    }

    @Test
    void theLengthOfAMessage() throws Exception {
        try (TestBus bus = limited(BusLimit.MAX_MESSAGE_SIZE, 1_000)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int most = 1_000 - TestClient.bytes(1, call(a, b, 0)).length;
            int ignored = a.send(call(a, b, most));
            assertThat((byte[]) b.read().values().getFirst()).hasSize(most);
            ignored = a.send(call(a, b, most + 1));

            assertThat(a.untilClosed()).isEmpty();
            assertThat(b.heard()).isEmpty();
        }
    }

    private static io.holdfast.dbus.marshal.MessageWriter call(
            TestClient a, TestClient b, int size) {
        return TestClient.body(a.call(b.name(), "M"), new byte[size]);
    }

    private static TestBus limited(Map<BusLimit, Long> values) {
        Limits limits = Limits.BUILT_IN;
        for (Map.Entry<BusLimit, Long> one : values.entrySet()) {
            limits = limits.with(one.getKey(), one.getValue());
        }
        return TestBus.ours(BusConfig.permissive().withLimits(limits));
    }

    @Test
    void descriptorsThatWaitForAReceiver() throws Exception {
        try (TestBus bus = limited(Map.of(BusLimit.MAX_OUTGOING_UNIX_FDS, 4L))) {
            TestClient a = bus.connect();
            TestClient slow = bus.connect();
            byte[] much = new byte[1 << 20];
            int ignored = a.send(TestClient.body(a.call(slow.name(), "Much"), much).flags(1));
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd one = pipe[0];
                    Fd other = pipe[1]) {
                // One more is accepted while less than half of the queue is used.
                int first = a.send(a.call(slow.name(), "First").unixFds(2), one, other);
                int second = a.send(a.call(slow.name(), "Second").unixFds(1), one);
                Message error = a.answer(second);
                assertThat(a.describe(error)).startsWith("LimitsExceeded");
                assertThat((String) error.values().getFirst())
                        .contains("max_outgoing_unix_fds", "2 of 4 used");
                assertThat(slow.describe(slow.read())).startsWith("Much");
                try (Message got = slow.read()) {
                    assertThat(got.descriptors()).hasSize(2);
                    ignored = slow.send(slow.writer().methodReturn(first).destination(a.name()));
                }
                assertThat(a.describe(a.answer(first))).isEqualTo("return");
                ignored = a.send(a.call(slow.name(), "Third").unixFds(2), one, other);
                try (Message got = slow.read()) {
                    assertThat(got.descriptors()).hasSize(2);
                }
            }
        }
    }

    @Test
    @Needs(root = true)
    void theTimeOfAMessageWithDescriptorsUnlessItIsRoots() throws Exception {
        try (TestBus bus = limited(Map.of(BusLimit.PENDING_FD_TIMEOUT, 200L))) {
            TestClient root = bus.connect();
            AtomicReference<TestClient> connected = new AtomicReference<>();
            bus.letOthersIn();
            AsUser.nobody(() -> connected.set(bus.connect()));
            TestClient nobody = connected.get();
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd one = pipe[0];
                    Fd other = pipe[1]) {
                for (TestClient client : List.of(root, nobody)) {
                    byte[] call =
                            TestClient.bytes(99, client.call(root.name(), "M").unixFds(1).flags(1));
                    int ignored = client.socket().send(ByteBuffer.wrap(call, 0, 20), List.of(one));
                }
                assertThat(other.isOpen()).isTrue();
            }
            assertThat(nobody.untilClosed()).isEmpty();
            byte[] call = TestClient.bytes(99, root.call(root.name(), "M").unixFds(1).flags(1));
            root.sendBytes(Arrays.copyOfRange(call, 20, call.length));
            try (Message got = root.read()) {
                assertThat(got.descriptors()).hasSize(1);
            }
        }
    }

    @Test
    @Needs(root = true)
    void connectsOfAUserWhoIsNotRoot() throws Exception {
        try (TestBus bus =
                limited(
                        Map.of(
                                BusLimit.MAX_CONNECTS_AT_ONCE_PER_USER, 3L,
                                BusLimit.MAX_CONNECTS_PER_SECOND_PER_USER, 1L))) {
            bus.letOthersIn();
            AsUser.nobody(() -> {
                for (int i = 0; i < 3; i++) {
                    bus.connect().close();
                }
                assertThat(bus.silent().untilClosed()).isEmpty();
            });
            for (int i = 0; i < 5; i++) {
                bus.connect().close();
            }
        }
    }

    @Test
    void rulesOfAUser() throws Exception {
        try (TestBus bus = limited(Map.of(BusLimit.MAX_MATCH_RULES_PER_USER, 3L))) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
            assertThat(b.tryBus(BUS, "AddMatch", "member='C'")).isEqualTo("return");
            Message error = b.callBus("AddMatch", "member='D'");
            assertThat(b.describe(error)).startsWith("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains("max_match_rules_per_user", "3 of 3 used");
            assertThat(a.tryBus(BUS, "RemoveMatch", "member='A'")).isEqualTo("return");
            assertThat(b.tryBus(BUS, "AddMatch", "member='D'")).isEqualTo("return");
        }
    }

    @Test
    void rulesOfAMonitorCountLikeOthers() throws Exception {
        try (TestBus bus = limited(Map.of(BusLimit.MAX_MATCH_RULES_PER_USER, 3L))) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(b.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
            assertThat(
                            b.tryBus(
                                    MONITORING,
                                    "BecomeMonitor",
                                    List.of("member='C'", "member='D'"),
                                    0))
                    .startsWith("LimitsExceeded");
            assertThat(b.tryBus(BUS, "RemoveMatch", "member='B'"))
                    .as("as it was")
                    .isEqualTo("return");
            assertThat(
                            b.tryBus(
                                    MONITORING,
                                    "BecomeMonitor",
                                    List.of("member='C'", "member='D'"),
                                    0))
                    .isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='E'")).startsWith("LimitsExceeded");
            b.close();
            while (a.tryBus(BUS, "AddMatch", "member='E'").startsWith("LimitsExceeded")) {
                Await.pause();
            }
            assertThat(a.tryBus(BUS, "AddMatch", "member='F'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='G'")).startsWith("LimitsExceeded");
        }
    }

    @Test
    void objectsOfAUser() throws Exception {
        // Two connections with their unique names are four objects.
        try (TestBus bus = limited(Map.of(BusLimit.MAX_OBJECTS_PER_USER, 6L))) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            assertThat(a.query("RequestName", "n.a", 0)).isEqualTo(1L);
            int call = a.send(a.call(b.name(), "M"));
            Message error = b.callBus("RequestName", "n.b", 0);
            assertThat(b.describe(error)).startsWith("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains("max_objects_per_user", "6 of 6 used");
            assertThat(bus.silent().untilClosed()).as("nor one more connection").isEmpty();
            Message got = b.read();
            int ignored = b.send(b.writer().methodReturn(got.serial()).destination(a.name()));
            assertThat(a.describe(a.answer(call))).isEqualTo("return");
            assertThat(b.query("RequestName", "n.b", 0)).isEqualTo(1L);
        }
    }

    @Test
    void descriptorsOfAUser() throws Exception {
        // Each connection takes two descriptors: its socket and its pidfd.
        try (TestBus bus = limited(Map.of(BusLimit.MAX_UNIX_FDS_PER_USER, 6L))) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd one = pipe[0];
                    Fd other = pipe[1]) {
                int ignored = a.send(a.call("no.body", "M").unixFds(2).flags(1), one, other);
                assertThat(a.heard()).as("two more are as many as there may be").isEmpty();
                ignored = a.send(a.call("no.body", "M").unixFds(3).flags(1), one, other, one);
                assertThat(a.untilClosed()).isEmpty();
            }
            while (b.query("NameHasOwner", a.name()).equals(true)) {
                Await.pause();
            }
            assertThat(bus.connect().name()).startsWith(":1.");
            assertThat(bus.connect().name()).startsWith(":1.");
            assertThat(bus.silent().untilClosed()).as("a fourth connection").isEmpty();
        }
    }

    @Test
    void bytesOfAUser() throws Exception {
        try (TestBus bus = limited(Map.of(BusLimit.MAX_BYTES_PER_USER, 1L << 20))) {
            TestClient a = bus.connect();
            TestClient slow = bus.connect();
            byte[] body = new byte[100_000];
            List<Message> answers = List.of();
            for (int i = 0; i < 100 && answers.isEmpty(); i++) {
                int ignored = a.send(TestClient.body(a.call(slow.name(), "M"), body));
                answers = a.messages();
            }
            assertThat(answers).hasSize(1);
            assertThat(a.describe(answers.getFirst())).isEqualTo("LimitsExceeded");
            assertThat((String) answers.getFirst().values().getFirst())
                    .contains("max_bytes_per_user of user");
            assertThat(a.query("NameHasOwner", slow.name())).as("it is only slow").isEqualTo(true);
            assertThat(slow.describe(slow.read())).startsWith("M");
        }
    }
}
