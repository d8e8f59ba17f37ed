package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** How the client calls other connections. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class CallingOnBus extends OnBus {
    @Test
    void theBusIsCalled() throws Exception {
        List<Object> names = client().bus().call("org.freedesktop.DBus", "ListNames");
        assertThat((List<?>) names.getFirst())
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
                .contains("org.freedesktop.DBus", client().uniqueName(), service().uniqueName());
    }

    @Test
    void anErrorReplyIsThrownWithNameAndText() {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(
                        () -> client().object("org.example.Nobody", "/").call("org.example.X", "Y"))
                .satisfies(e -> {
                    assertThat(e.name()).isEqualTo(DBusException.SERVICE_UNKNOWN);
                    assertThat(e.text()).isNotEmpty();
                });
        assertError(
                DBusException.NAME_HAS_NO_OWNER,
                () ->
                        client().object("org.example.Nobody", "/")
                                .withoutStart()
                                .call("org.example.X", "Y"));
    }

    @Test
    void everyTypeTravelsBothWays() throws Exception {
        String types = "ybnqiuxtdsogvasay(is)a{sv}aai";
        Map<Object, Object> dictionary = new LinkedHashMap<>();
        dictionary.put("one", Variant.of(1));
        dictionary.put("two", Variant.of("(sd)", Struct.of("x", 2.5)));
        List<Object> values =
                List.of(
                        (byte) 200,
                        true,
                        (short) -7,
                        65535,
                        -1,
                        4294967295L,
                        Long.MIN_VALUE,
                        -1L,
                        Math.PI,
                        "t\u00e9xt \u20ac \ud83d\ude00",
                        new ObjectPath("/a/b"),
                        Signature.of("a{sv}"),
                        Variant.of("inner"),
                        List.of("a", "", "b"),
                        new byte[] {1, 2, 3},
                        Struct.of(5, "five"),
                        dictionary,
                        List.of(List.of(1, 2), List.of()));
        try (ExportedObject exported =
                service()
                        .export(
                                PATH,
                                test().method("Echo", types, types, MethodCall::arguments)
                                        .build())) {
            List<Object> echo = remote().call(TEST, "Echo", types, values.toArray());
            assertThat(echo).usingRecursiveComparison().isEqualTo(values);
        }
    }

    @Test
    void callsThatAreBegunAreSentInOrderAndAnsweredLater() throws Exception {
        List<Object> called = new CopyOnWriteArrayList<>();
        CountDownLatch go = new CountDownLatch(1);
        BusInterface waiting =
                test().method(
                                "Wait",
                                "i",
                                "i",
                                call -> {
                                    go.await();
                                    called.addAll(call.arguments());
                                    return call.arguments();
                                })
                        .build();
        try (ExportedObject exported = service().export(PATH, waiting)) {
            List<CompletableFuture<Message>> begun = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                begun.add(remote().begin(TEST, "Wait", "i", i));
            }
            assertThat(begun.getLast().cancel(false)).isTrue();
            assertThat(begun.getFirst()).isNotDone();
            go.countDown();
            for (int i = 0; i < 49; i++) {
                try (Message reply = begun.get(i).get()) {
                    assertThat(reply.values()).containsExactly(i);
                }
            }
            assertThat(called.subList(0, 49)).isEqualTo(IntStream.range(0, 49).boxed().toList());
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() -> remote().begin(TEST, "No", "").get())
                    .withCauseInstanceOf(DBusException.class)
                    .withMessageContaining(DBusException.UNKNOWN_METHOD);
        }
    }

    @Test
    void callsThatAreBegunEndWithTheirTimeAndWithTheConnection() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        BusInterface stuck =
                test().method(
                                "Wait",
                                "",
                                "",
                                _ -> {
                                    never.await();
                                    return List.of();
                                })
                        .build();
        try (ExportedObject exported = service().export(PATH, stuck)) {
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(() ->
                            remote().withTimeout(Duration.ofMillis(10))
                                    .begin(TEST, "Wait", "")
                                    .get())
                    .withMessageContaining(DBusException.TIMEOUT);
            CompletableFuture<Message> lost = remote().begin(TEST, "Wait", "");
            client().close();
            assertThatExceptionOfType(ExecutionException.class)
                    .isThrownBy(lost::get)
                    .withCauseInstanceOf(ConnectionLostException.class);
        } finally {
            never.countDown();
        }
    }

    @Test
    void aLargeMessageTravelsWhole() throws Exception {
        byte[] large = new byte[5_000_000];
        for (int i = 0; i < large.length; i++) {
            large[i] = (byte) (i * 31);
        }
        try (ExportedObject exported =
                service()
                        .export(
                                PATH,
                                test().method("Echo", "ay", "ay", MethodCall::arguments).build())) {
            for (int i = 0; i < 3; i++) {
                assertThat((byte[]) remote().call(TEST, "Echo", "ay", large).getFirst())
                        .isEqualTo(large);
                assertThat((byte[]) remote().call(TEST, "Echo", "ay", new byte[] {9}).getFirst())
                        .containsExactly(9);
            }
        }
    }

    @Test
    void manyVirtualThreadsCallAtOnceAndGetTheirOwnReplies() throws Exception {
        try (ExportedObject exported =
                        service()
                                .export(
                                        PATH,
                                        test().method("Echo", "i", "i", MethodCall::arguments)
                                                .build());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Object>> replies =
                    IntStream.range(0, 2_000)
                            .mapToObj(i ->
                                    threads.submit(
                                            () -> remote().call(TEST, "Echo", "i", i).getFirst()))
                            .toList();
            for (int i = 0; i < replies.size(); i++) {
                assertThat(replies.get(i).get()).isEqualTo(i);
            }
        }
    }

    @Test
    void aCallOverTheLimitWaitsForAnother() throws Exception {
        ConnectionOptions options = ConnectionOptions.standard().withCalls(1);
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (BusConnection limited =
                        BusConnection.connect(BusAddress.parseList(bus().address()), options);
                ExportedObject exported =
                        service()
                                .export(
                                        PATH,
                                        test().method(
                                                        "Wait",
                                                        "",
                                                        "",
                                                        _ -> {
                                                            called.countDown();
                                                            go.await();
                                                            return List.of();
                                                        })
                                                .build())) {
            RemoteObject slow = limited.object(service().uniqueName(), PATH);
            Thread first = Thread.startVirtualThread(() -> quietly(() -> slow.call(TEST, "Wait")));
            called.await();
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() ->
                            limited.bus()
                                    .withTimeout(Duration.ofMillis(50))
                                    .call("org.freedesktop.DBus", "GetId"))
                    .withMessageContaining("1 others are under way");
            go.countDown();
            first.join();
            assertThat(limited.bus().call("org.freedesktop.DBus", "GetId")).hasSize(1);
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private static void quietly(Step step) {
        try {
            step.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aCallWithoutReplyInTimeEndsAndItsLateReplyHarmsNothing() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        try (ExportedObject exported =
                service()
                        .export(
                                PATH,
                                test().method(
                                                "Wait",
                                                "",
                                                "h",
                                                _ -> {
                                                    go.await();
                                                    Fd[] pipe = Unistd.pipe2(0);
                                                    pipe[1].close();
                                                    return List.of(pipe[0]);
                                                })
                                        .method("Echo", "i", "i", MethodCall::arguments)
                                        .build())) {
            OpenDescriptors before = OpenDescriptors.now();
            RemoteObject hasty = remote().withTimeout(Duration.ofMillis(30));
            assertError(DBusException.TIMEOUT, () -> hasty.call(TEST, "Wait"));
            go.countDown();
            assertThat(remote().call(TEST, "Echo", "i", 3)).containsExactly(3);
            before.awaitSameNumber();
        }
    }

    @Test
    void anInterruptedCallEndsAndTheConnectionLives() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        try (ExportedObject exported =
                service()
                        .export(
                                PATH,
                                test().method(
                                                "Wait",
                                                "",
                                                "",
                                                _ -> {
                                                    called.countDown();
                                                    go.await();
                                                    return List.of();
                                                })
                                        .build())) {
            AtomicReference<Exception> thrown = new AtomicReference<>();
            Thread caller =
                    Thread.startVirtualThread(() -> {
                        try {
                            remote().call(TEST, "Wait");
                        } catch (Exception e) {
                            thrown.set(e);
                        }
                    });
            called.await();
            caller.interrupt();
            caller.join();
            assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
            go.countDown();
            assertThat(client().bus().call("org.freedesktop.DBus", "GetId")).hasSize(1);
        }
    }

    @Test
    void argumentsThatDoNotFitAreRefusedBeforeAnythingIsSent() throws Exception {
        assertThatIllegalArgumentException().isThrownBy(() -> remote().call(TEST, "X", "i", "one"));
        assertThatIllegalArgumentException().isThrownBy(() -> remote().call(TEST, "X", "i"));
        assertThatIllegalArgumentException().isThrownBy(() -> remote().call(TEST, "X", "", 1));
        assertThatIllegalArgumentException().isThrownBy(() -> remote().call(TEST, "X", "(", 1));
        assertThatIllegalArgumentException().isThrownBy(() -> remote().call("nodots", "X"));
        assertThatIllegalArgumentException().isThrownBy(() -> client().object("x", "/"));
        assertThatIllegalArgumentException().isThrownBy(() -> client().object("a.b", "c"));
        assertThat(client().bus().call("org.freedesktop.DBus", "GetId")).hasSize(1);
    }

    @Test
    void whenTheCalleeDisconnectsTheCallerLearnsAtOnce() throws Exception {
        CountDownLatch called = new CountDownLatch(1);
        BusConnection brief = BusConnection.connect(bus().address());
        CountDownLatch never = new CountDownLatch(1);
        var _ =
                brief.export(
                        PATH,
                        test().method(
                                        "Wait",
                                        "",
                                        "",
                                        _ -> {
                                            called.countDown();
                                            never.await();
                                            return List.of();
                                        })
                                .build());
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> call =
                    threads.submit(() ->
                            assertError(
                                    DBusException.NO_REPLY,
                                    () ->
                                            client().object(brief.uniqueName(), PATH)
                                                    .call(TEST, "Wait")));
            called.await();
            brief.close();
            call.get();
        }
        never.countDown();
    }

    @Test
    void closingEndsAllThatWaits() throws Exception {
        Subscription subscription = client().subscribe("type='signal',member='Never'");
        CountDownLatch called = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        try (ExportedObject exported =
                        service()
                                .export(
                                        PATH,
                                        test().method(
                                                        "Wait",
                                                        "",
                                                        "",
                                                        _ -> {
                                                            called.countDown();
                                                            never.await();
                                                            return List.of();
                                                        })
                                                .build());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> call = threads.submit(() -> remote().call(TEST, "Wait"));
            Future<?> take = threads.submit(subscription::take);
            called.await();
            client().close();
            for (Future<?> future : List.of(call, take)) {
                assertThatExceptionOfType(java.util.concurrent.ExecutionException.class)
                        .isThrownBy(future::get)
                        .withCauseInstanceOf(ConnectionLostException.class);
            }
            never.countDown();
        }
        assertThat(client().isOpen()).isFalse();
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() -> client().bus().call("org.freedesktop.DBus", "GetId"))
                .satisfies(e ->
                        assertThat(e.reason()).isEqualTo(ConnectionLostException.Reason.CLOSED));
        subscription.close();
        client().close();
    }

    @Test
    void whenTheBusGoesAllThatWaitsEnds() throws Exception {
        Subscription subscription = client().subscribe("type='signal',member='Never'");
        bus().close();
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(subscription::take)
                .satisfies(e ->
                        assertThat(e.reason())
                                .isEqualTo(ConnectionLostException.Reason.DISCONNECTED));
        assertThat(client().isOpen()).isFalse();
        subscription.close();
    }
}
