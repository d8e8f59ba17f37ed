package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Passing of descriptors over the bus, and credentials of the owner of a name. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class PassingOnBus extends OnBus {
    @Test
    void descriptorsPassBothWaysAndNoneIsLeft() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        BusInterface passing =
                test().method(
                                "Write",
                                "hs",
                                "",
                                call -> {
                                    byte[] text = call.string(1).getBytes(StandardCharsets.UTF_8);
                                    Fd pipe = call.descriptor(call.argument(0, Handle.class));
                                    assertThat(Unistd.write(pipe, text, 0, text.length))
                                            .isEqualTo(text.length);
                                    return List.of();
                                })
                        .method("Open", "", "ah", _ -> List.of(List.of((Object[]) Unistd.pipe2(0))))
                        .method("Ignore", "ahv", "", _ -> List.of())
                        .build();
        try (ExportedObject exported = service().export(PATH, passing)) {
            Fd[] pipe = Unistd.pipe2(0);
            try (Fd in = pipe[0];
                    Fd out = pipe[1]) {
                remote().call(TEST, "Write", "hs", out, "through the pipe");
                byte[] read = new byte[64];
                int n = Unistd.read(in, read, 0, read.length);
                assertThat(new String(read, 0, n, StandardCharsets.UTF_8))
                        .isEqualTo("through the pipe");
                remote().call(TEST, "Ignore", "ahv", List.of(in, out), Variant.of("h", in));
                remote().callWithoutReply(
                                TEST, "Ignore", "ahv", List.of(in, out), Variant.of("h", in));
            }
            try (Message reply = remote().exchange(TEST, "Open", "")) {
                assertThat(reply.values()).containsExactly(List.of(new Handle(0), new Handle(1)));
                List<Fd> taken = reply.takeDescriptors();
                try (Fd in = taken.get(0);
                        Fd out = taken.get(1)) {
                    assertThat(Unistd.write(out, new byte[] {5}, 0, 1)).isEqualTo(1);
                    assertThat(Unistd.read(in, new byte[8], 0, 8)).isEqualTo(1);
                }
            }
            // the call closes the received descriptors
            assertThat(remote().call(TEST, "Open")).hasSize(1);
        }
        before.awaitSameNumber();
    }

    @Test
    void descriptorsOfSignalsGoToEachSubscriptionAndNoneIsLeft() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                ExportedObject exported = service().export(PATH, test().signal("S", "h").build());
                Subscription one = client().subscribe("member='S'");
                Subscription other = client().subscribe("member='S',path='" + PATH + "'");
                Subscription idle = client().subscribe("member='S',interface='" + TEST + "'")) {
            exported.emit(TEST, "S", out);
            try (Message first = one.take();
                    Message second = other.take()) {
                for (Message signal : List.of(first, second)) {
                    Fd received = signal.descriptors().getFirst();
                    assertThat(Unistd.write(received, new byte[] {1}, 0, 1)).isEqualTo(1);
                    assertThat(Unistd.read(in, new byte[8], 0, 8)).isEqualTo(1);
                }
            }
            assertThat(idle.lost()).isZero();
        }
        before.awaitSameNumber();
    }

    @Test
    void whoDidNotAgreeOnDescriptorsCannotSendThem() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withDescriptors(false);
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                BusConnection without =
                        BusConnection.connect(BusAddress.parseList(bus().address()), options)) {
            assertThat(without.passesDescriptors()).isFalse();
            assertError(
                    DBusException.NOT_SUPPORTED,
                    () -> without.object(service().uniqueName(), PATH).call(TEST, "X", "h", in));
            assertThat(out.isOpen()).isTrue();
        }
    }

    @Test
    void whoIsBehindANameIsHeldByItsDescriptor() throws Exception {
        try (Peer peer = client().peer(service().uniqueName());
                PidFd self = PidFd.self()) {
            assertThat(peer.uid()).isEqualTo(Unistd.geteuid());
            assertThat(peer.pid()).isEqualTo((int) ProcessHandle.current().pid());
            if (Feature.PEER_PIDFD.isPresent()) {
                assertThat(peer).isInstanceOf(Peer.Held.class);
                assertThat(peer.pidFd()).contains(self);
            }
        }
    }

    @Test
    void whoDidNotAgreeOnDescriptorsLearnsNoMoreThanBestEffort() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withDescriptors(false);
        try (BusConnection without =
                BusConnection.connect(BusAddress.parseList(bus().address()), options)) {
            boolean hasDescriptor = Feature.PEER_PIDFD.isPresent(); // the reply carries a pidfd
            // dbus-broker disconnects this client
            if (hasDescriptor && bus().kind() == TestBus.Kind.DBUS_BROKER) {
                assertThatExceptionOfType(ConnectionLostException.class)
                        .isThrownBy(() -> without.peer(service().uniqueName()).close());
                return;
            }
            try (Peer peer = without.peer(service().uniqueName())) {
                assertThat(peer).isInstanceOf(Peer.BestEffort.class);
                assertThat(peer.pidFd()).isEmpty();
                assertThat(peer.pid()).isEqualTo((int) ProcessHandle.current().pid());
            }
        }
    }

    @Test
    void aHandlerLearnsWhoCalls() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        AtomicReference<Peer> seen = new AtomicReference<>();
        BusInterface recording =
                test().method(
                                "Who",
                                "",
                                "su",
                                call -> {
                                    seen.set(call.peer());
                                    assertThat(call.peer()).isSameAs(seen.get());
                                    return List.of(call.sender(), call.peer().uid());
                                })
                        .build();
        try (ExportedObject exported = service().export(PATH, recording)) {
            assertThat(remote().call(TEST, "Who"))
                    .containsExactly(client().uniqueName(), Unistd.geteuid());
        }
        before.awaitSameNumber(); // they are closed after the call
    }

    @Test
    void ofSomebodyWhoIsGoneNothingIsSaid() throws Exception {
        BusConnection brief = BusConnection.connect(bus().address());
        brief.close();
        Await.until(() -> {
            try {
                return client().owner(brief.uniqueName()).isEmpty();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertError(
                DBusException.NAME_HAS_NO_OWNER, () -> client().peer(brief.uniqueName()).close());
    }
}
