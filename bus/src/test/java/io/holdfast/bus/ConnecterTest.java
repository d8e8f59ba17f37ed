package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.bus.service.Activator;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Variant;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A connection belongs to the process that connected, whichever process uses it later, even if the
 * connecting process has ended.
 */
@Timeout(120)
class ConnecterTest {
    @TempDir private Path folder;

    /** A process that connects, passes the connection to its parent, and exits. */
    static final class Connecter {
        private Connecter() {}

        public static void main(String... arguments) throws Exception {
            UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
            try (UnixSocket parent = UnixSocket.adopt(Fd.adopt(3));
                    UnixSocket connected = UnixSocket.connect(address, SocketType.STREAM)) {
                int ignored = parent.send(ByteBuffer.wrap(new byte[1]), List.of(connected.fd()));
            }
        }
    }

    /** A connection and the process that made it, which is dead and reaped. */
    private record Inherited(TestClient client, PidFd connecter, int pid, long id)
            implements AutoCloseable {
        @Override
        public void close() {
            client.close();
            connecter.close();
        }
    }

    private static Inherited inherit(String address, String... before) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        List<String> command = new ArrayList<>(List.of(before));
        command.addAll(
                ChildJvm.command(
                        List.of(), Connecter.class, address.replaceAll(".*path=([^,;]*).*", "$1")));
        try (UnixSocket ours = pair[0];
                UnixSocket theirs = pair[1];
                Ancillary beside = Ancillary.ofDescriptors(1);
                Child child =
                        Spawn.of(command)
                                .descriptor(3, theirs.fd())
                                .stdout(Stdio.inherit())
                                .stderr(Stdio.inherit())
                                .start()) {
            PidFd connecter = child.pidFd().duplicate();
            int pid = connecter.pid();
            long id = connecter.id();
            assertThat(ours.receive(ByteBuffer.allocate(1), beside)).isEqualTo(1);
            UnixSocket socket = UnixSocket.adopt(beside.takeDescriptors().getFirst());
            assertThat(child.onExit().join().toString()).contains("0");
            assertThat(connecter.state()).isEqualTo(PidFd.State.REAPED);
            return new Inherited(TestClient.of(socket), connecter, pid, id);
        }
    }

    private static Object value(Map<?, ?> dictionary, String key) {
        assertThat(dictionary.keySet().stream().map(String::valueOf)).contains(key);
        return ((Variant) Objects.requireNonNull(dictionary.get(key))).value();
    }

    @EveryBus
    void whatAnotherProcessWritesIsStillTheConnecters(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        byte[] call =
                TestClient.bytes(99, a.call(b.name(), "M").flags(MessageFlags.NO_REPLY_EXPECTED));
        Path file = Files.write(folder.resolve("call"), call);
        try (Child other =
                Spawn.of("sh", "-c", "cat \"$0\" >&3", file.toString())
                        .descriptor(3, a.socket().fd())
                        .start()) {
            Message got = b.read();
            assertThat(got.member()).isEqualTo("M");
            assertThat(got.sender()).isEqualTo(a.name());
            assertThat(other.onExit().join().toString()).contains("0");
        }
        try (Message reply = b.callBus("GetConnectionCredentials", a.name());
                PidFd self = PidFd.self()) {
            Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
            assertThat(value(all, "ProcessID")).isEqualTo(ProcessHandle.current().pid());
            if (all.containsKey("ProcessFD") || bus.isOurs()) {
                try (PidFd received = PidFd.adopt(reply.takeDescriptors().getFirst())) {
                    assertThat(received).isEqualTo(self);
                }
            }
        }
        assertThat(a.query("NameHasOwner", a.name())).as("it is not disconnected").isEqualTo(true);
    }

    @EveryBus
    void aConnecterThatIsReapedIsStillTheOneThatConnected(TestBus bus) throws Exception {
        TestClient b = bus.connect();
        try (Inherited inherited = inherit(bus.address())) {
            TestClient a = inherited.client().authenticate(true).hello();
            try (Message reply = b.callBus("GetConnectionCredentials", a.name())) {
                Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
                if (!bus.isDaemon()) { // dbus-daemon looks it up by PID
                    assertThat(value(all, "ProcessID")).isEqualTo((long) inherited.pid());
                }
                if (all.containsKey("ProcessFD")) {
                    try (PidFd received = PidFd.adopt(reply.takeDescriptors().getFirst())) {
                        assertThat(received.isAlive()).isFalse();
                        assertThat(received).isEqualTo(inherited.connecter());
                    }
                }
            }
            if (!bus.isDaemon()) {
                assertThat(b.query("GetConnectionUnixProcessID", a.name()))
                        .isEqualTo((long) inherited.pid());
            }
            HostileTest.assertPings(a, b);
        }
    }

    @EveryBus
    @Needs(root = true, programs = "setpriv")
    void itsGroupsAreThoseItHadSortedAndEachOnce(TestBus bus) throws Exception {
        TestClient b = bus.connect();
        bus.letOthersIn();
        try (Inherited inherited = inherit(bus.address(), "setpriv", "--regid=5", "--groups=7,3")) {
            TestClient a = inherited.client().authenticate(true).hello();
            Map<?, ?> all = (Map<?, ?>) b.query("GetConnectionCredentials", a.name());

            List<?> groups = (List<?>) value(all, "UnixGroupIDs");
            if (bus.isBroker()) { // dbus-broker has one of them twice
                groups = groups.stream().distinct().toList();
            }
            assertThat(groups).isEqualTo(List.of(3L, 5L, 7L));
        }
    }

    /** Blocks the thread of the bus until the test releases it. */
    private static final class Holding implements Activator {
        private final CountDownLatch held = new CountDownLatch(1);
        private final CountDownLatch go = new CountDownLatch(1);

        @Override
        public void start(ServiceFile service, Start start) {
            held.countDown();
            try {
                go.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            start.failed("e.E", "it was only held");
        }

        @Override
        public void setEnvironment(Map<String, String> variables) {}

        @Override
        public void close() {
            go.countDown();
        }
    }

    @Test
    void whoIsReapedBeforeItIsLetInDisturbsNobody() throws Exception {
        Files.writeString(
                folder.resolve("s.s.service"), "[D-BUS Service]\nName=s.s\nExec=/bin/true\n");
        BusConfig config =
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)));
        OpenDescriptors before = OpenDescriptors.now();
        Holding holding = new Holding();
        BusAddress listen = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        try (Bus bus = Bus.open(BusOptions.of(() -> config, listen).withActivator(holding));
                TestClient a = connect(bus);
                TestClient b = connect(bus)) {
            int start = a.send(a.toBus(BUS, "StartServiceByName", "s.s", 0));
            holding.held.await();
            try (Inherited closed = inherit(listen.toString());
                    Inherited used = inherit(listen.toString())) {
                closed.client().close();
                holding.go.countDown();
                assertThat(a.describe(a.answer(start))).isEqualTo("e.E");

                TestClient late = used.client().authenticate(true).hello();
                assertThat(b.query("GetConnectionUnixProcessID", late.name()))
                        .isEqualTo((long) used.pid());
                try (Message reply = b.callBus("GetConnectionCredentials", late.name())) {
                    Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
                    assertThat(reply.descriptors()).hasSize(all.containsKey("ProcessFD") ? 1 : 0);
                    if (all.containsKey("ProcessFD")) {
                        try (PidFd received = PidFd.adopt(reply.takeDescriptors().getFirst())) {
                            assertThat(received)
                                    .as("the connecting process")
                                    .isEqualTo(used.connecter());
                            assertThat(received.isAlive()).isFalse();
                        }
                    }
                }
                assertThat(b.query("ListNames"))
                        .as("without the client that has hung up")
                        .isEqualTo(List.of(BUS, a.name(), b.name(), late.name()));
            }
            HostileTest.assertPings(a, b);
        }
        before.awaitSameNumber();
    }

    private static TestClient connect(Bus bus) throws InterruptedException {
        return TestClient.silent(bus.addresses().getFirst().toString()).authenticate(true).hello();
    }

    @EveryBus
    void aNameThatIsHandedOverTakesNoQueuedCallAlong(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connect();
        assertThat(b.query("RequestName", "n.n", 0)).isEqualTo(1L);
        assertThat(c.query("RequestName", "n.n", 0)).isEqualTo(2L);
        byte[] much = new byte[300_000];
        for (int i = 0; i < 4; i++) { // more than its socket takes
            int ignored = a.send(TestClient.body(a.signal("Much").destination(b.name()), much));
        }
        int call = a.send(a.call("n.n", "Queued"));
        assertThat(a.heard()).isEmpty(); // the bus has handled it
        int release = b.send(b.toBus(BUS, "ReleaseName", "n.n"));
        assertThat(c.describe(c.read())).isEqualTo("NameAcquired(n.n)");
        int next = a.send(a.call("n.n", "Next"));

        Message queued = b.read();
        while (!"Queued".equals(queued.member())) {
            queued = b.read();
        }
        int ignored =
                b.send(
                        TestClient.body(
                                b.writer().methodReturn(queued.serial()).destination(a.name()),
                                "of b"));
        assertThat(b.describe(b.answer(release))).isEqualTo("return(1)");
        Message answer = a.answer(call);
        assertThat(a.describe(answer)).isEqualTo("return(of b)");
        assertThat(answer.sender()).isEqualTo(b.name());
        Message got = c.read();
        assertThat(got.member()).isEqualTo("Next");
        ignored = c.send(c.writer().methodReturn(got.serial()).destination(a.name()));
        assertThat(a.answer(next).sender()).isEqualTo(c.name());
        assertThat(c.heard()).isEmpty();
    }
}
