package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A process that can open no more descriptors loses only the messages that carry some. */
@Timeout(120)
class DescriptorShortageTest {
    private static final String NAME = "org.example.Test";
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final int LIMIT = 256;

    /** Runs in its own JVM, whose descriptor table is filled. */
    static final class InAFullTable {
        static void main() throws Exception {
            FullTable.limit(LIMIT, Fd.class, BusConnection.class);
            UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
            FutureTask<BusConnection> accepting =
                    new FutureTask<>(() ->
                            BusConnection.accept(
                                    pair[0],
                                    GUID,
                                    ConnectionOptions.standard(),
                                    InAFullTable::export));
            Thread.ofVirtual().start(accepting);
            try (BusConnection client =
                            BusConnection.withPeer(pair[1], ConnectionOptions.standard());
                    BusConnection server = accepting.get()) {
                RemoteObject object = client.object("/test");
                passBothWays(object);
                OpenDescriptors before = OpenDescriptors.now();
                for (int i = 0; i < 3; i++) {
                    Fd[] pipe = Unistd.pipe2(0);
                    ready = pipe[1];
                    FullTable.fill(0);
                    try (Fd in = pipe[0]) {
                        assertLost(() -> {
                            while (object.call(NAME, "Take", "h", in).size() == 1) {
                                FullTable.fill(0); // an earlier call has closed its own meanwhile
                            }
                        });
                        assertThat(object.call(NAME, "Echo", "s", "still here"))
                                .containsExactly("still here");
                        assertLost(() -> object.exchange(NAME, "Give", "").close());
                        assertThat(object.call(NAME, "Echo", "s", "and here"))
                                .containsExactly("and here");
                    } finally {
                        FullTable.empty();
                    }
                    passBothWays(object);
                    before.awaitSameNumber();
                }
                assertThat(server.isOpen()).isTrue();
            }
            System.out.println("lost no connection");
        }

        /**
         * The descriptor that the next two calls return; closing it after the reply makes room for
         * one.
         */
        private static volatile Fd ready = Unistd.pipe2(0)[0];

        private static void export(BusConnection server) {
            var _ =
                    server.export(
                            "/test",
                            BusInterface.named(NAME)
                                    .concurrent()
                                    .method("Echo", "s", "s", call -> List.of(call.string(0)))
                                    .method(
                                            "Take",
                                            "h",
                                            "t",
                                            call ->
                                                    List.of(
                                                            SysStat.inode(
                                                                    call.descriptor(
                                                                            call.argument(
                                                                                    0,
                                                                                    Handle
                                                                                            .class)))))
                                    .method("Give", "", "hh", _ -> List.of(ready, ready))
                                    .build());
        }

        /** Checks that each message gets its own descriptors. */
        private static void passBothWays(RemoteObject object) throws Exception {
            for (int i = 0; i < 2; i++) {
                Fd[] pipe = Unistd.pipe2(0);
                try (Fd in = pipe[0];
                        Fd out = pipe[1]) {
                    assertThat(object.call(NAME, "Take", "h", in))
                            .containsExactly(SysStat.inode(in));
                    ready = out.duplicate();
                    try (Message reply = object.exchange(NAME, "Give", "")) {
                        assertThat(SysStat.inode(reply.descriptors().getFirst()))
                                .isEqualTo(SysStat.inode(out));
                    }
                }
            }
        }

        private static void assertLost(ThrowingCallable call) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(call)
                    .satisfies(e -> {
                        assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED);
                        assertThat(e.text()).contains("RLIMIT_NOFILE");
                    });
        }
    }

    @Test
    void aMessageWhoseDescriptorsAreLostFailsAndTheConnectionLivesOn() {
        ChildJvm.Result result = ChildJvm.run(List.of(), InAFullTable.class);
        assertThat(result.output()).isEqualTo("lost no connection\n");
        assertThat(result.status()).isZero();
    }
}
