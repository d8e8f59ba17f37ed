package io.holdfast.dbus;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.wire.Message;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Objects that are looked up at each call, methods that reply later, and signals that are sent
 * without waiting.
 */
@Timeout(60)
class ObjectTreeTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final String NUMBER = "org.example.Number";
    private static final ConnectionOptions FEW_CALLS =
            ConnectionOptions.standard()
                    .withIncomingCalls(3)
                    .withCallTimeout(Duration.ofSeconds(20));

    @TempDir private Path folder;
    private final ExecutorService loop =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("the loop").factory());
    private final List<BusConnection> prepared = new CopyOnWriteArrayList<>();
    private BusConnection client;
    private BusConnection server;

    /** The numbers from 1 to 100, each an object; records the threads of the look-ups. */
    private static final class Numbers implements ObjectTree {
        final BlockingQueue<String> threads = new LinkedBlockingQueue<>();

        @Override
        public CompletionStage<List<BusInterface>> interfaces(String path) {
            threads.add(Thread.currentThread().getName());
            String last = path.substring(path.lastIndexOf('/') + 1);
            if (last.equals("broken")) {
                throw new IllegalStateException("no such luck");
            }
            if (!last.matches("[1-9][0-9]?")) {
                return CompletableFuture.completedStage(List.of());
            }
            int number = Integer.parseInt(last);
            return CompletableFuture.completedStage(
                    List.of(
                            BusInterface.named(NUMBER)
                                    .property("Value", "i", () -> read(number))
                                    .method("Twice", "", "i", _ -> List.of(2 * read(number)))
                                    .asyncMethod(
                                            "Later",
                                            "",
                                            "i",
                                            (_, reply) -> reply.complete(List.of(number)))
                                    .build()));
        }

        private int read(int number) {
            threads.add(Thread.currentThread().getName());
            return number;
        }

        @Override
        public Collection<String> paths() {
            return List.of("/numbers/1", "/numbers/2");
        }
    }

    @BeforeEach
    void connect() throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("peer"));
        CompletableFuture<BusConnection> accepted = new CompletableFuture<>();
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1)) {
            var _ =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    accepted.complete(
                                            BusConnection.accept(
                                                    listener.accept(),
                                                    GUID,
                                                    FEW_CALLS,
                                                    prepared::add));
                                } catch (InterruptedException | RuntimeException e) {
                                    accepted.completeExceptionally(e);
                                }
                            });
            client =
                    BusConnection.withPeer(
                            UnixSocket.connect(address, SocketType.STREAM),
                            ConnectionOptions.standard().withCallTimeout(Duration.ofSeconds(20)));
            server = accepted.join();
        }
    }

    @AfterEach
    void close() {
        client.close();
        server.close();
        loop.shutdownNow();
    }

    @Test
    void anObjectOfATreeIsAskedForAndReadOnTheExecutor() throws Exception {
        Numbers numbers = new Numbers();
        var _ = server.exportTree("/numbers", loop, numbers);
        assertThat(client.object("/numbers/42").get(NUMBER, "Value")).isEqualTo(42);
        assertThat(client.object("/numbers/42").call(NUMBER, "Twice")).containsExactly(84);
        assertThat(client.object("/numbers/42").call(NUMBER, "Later")).containsExactly(42);
        assertThat(client.object("/numbers/42").getAll("")).containsEntry("Value", 42);
        assertThat(numbers.threads).containsOnly("the loop");
    }

    @Test
    void whatATreeDoesNotKnowIsNoObject() throws Exception {
        var _ = server.exportTree("/numbers", loop, new Numbers());
        for (String path : List.of("/numbers/none", "/numbers", "/number")) {
            assertThatThrownBy(() -> client.object(path).get(NUMBER, "Value"))
                    .as(path)
                    .hasMessageContaining("UnknownObject");
        }
        assertThatThrownBy(() -> client.object("/numbers/broken").get(NUMBER, "Value"))
                .hasMessageContaining("no such luck");
        assertThatThrownBy(() -> client.object("/numbers/1").call(NUMBER, "Thrice"))
                .hasMessageContaining("UnknownMethod");
    }

    @Test
    void aTreeIsSeenByIntrospectionFromAbove() throws Exception {
        var _ = server.exportTree("/some/numbers", loop, new Numbers());
        var _ = server.exportTree("/numbers", loop, new Numbers());
        assertThat(introspect("/")).contains("<node name=\"some\"/>", "<node name=\"numbers\"/>");
        assertThat(introspect("/some")).contains("<node name=\"numbers\"/>");
        assertThat(introspect("/numbers")).contains("<node name=\"1\"/>", "<node name=\"2\"/>");
        assertThat(introspect("/numbers/7")).contains(NUMBER, "Twice");
    }

    @Test
    void aTreeMayBeginAtTheRoot() throws Exception {
        var _ = server.exportTree("/", loop, new Numbers());
        var _ = server.export("/own/object", BusInterface.named("org.example.Own").build());
        assertThat(client.object("/42").get(NUMBER, "Value")).isEqualTo(42);
        assertThat(client.object("/numbers/7").get(NUMBER, "Value")).isEqualTo(7);
        assertThat(introspect("/")).contains("<node name=\"numbers\"/>", "<node name=\"own\"/>");
        assertThat(introspect("/own")).contains("<node name=\"object\"/>");
        assertThat(introspect("/own/object")).contains("org.example.Own");
        assertThatThrownBy(() -> client.object("/").get(NUMBER, "Value"))
                .hasMessageContaining("UnknownObject");
    }

    @Test
    void theInnermostTreeHasAnObject() throws Exception {
        Numbers outer = new Numbers();
        Numbers inner = new Numbers();
        var _ = server.exportTree("/", loop, outer);
        var _ = server.exportTree("/numbers", loop, inner);
        assertThat(client.object("/numbers/7").get(NUMBER, "Value")).isEqualTo(7);
        assertThat(inner.threads).isNotEmpty();
        assertThat(outer.threads).isEmpty();
    }

    @Test
    void anObjectOfATreeHasNoObjectManager() throws Exception {
        var _ = server.exportTree("/numbers", loop, new Numbers());
        assertThat(introspect("/numbers/7"))
                .contains("org.freedesktop.DBus.Properties")
                .doesNotContain("ObjectManager");
        RemoteObject number = client.object("/numbers/7");
        assertThatThrownBy(
                        () -> number.call(StandardInterfaces.OBJECT_MANAGER, "GetManagedObjects"))
                .hasMessageContaining(DBusException.UNKNOWN_INTERFACE);
        assertThatThrownBy(() -> number.getAll(StandardInterfaces.OBJECT_MANAGER))
                .hasMessageContaining(DBusException.UNKNOWN_INTERFACE);
    }

    @Test
    void aTreeThatFailsIsToldToTheCallerAndItsCallsCountNoMore() throws Exception {
        BusInterface twice =
                BusInterface.named(NUMBER).method("Twice", "", "i", _ -> List.of(2)).build();
        ObjectTree failing =
                new ObjectTree() {
                    @Override
                    public CompletionStage<List<BusInterface>> interfaces(String path) {
                        if (path.endsWith("linked")) {
                            throw new NoClassDefFoundError("no such class");
                        }
                        return CompletableFuture.completedStage(List.of(twice, twice));
                    }

                    @Override
                    public Collection<String> paths() {
                        throw new IllegalStateException("no paths today");
                    }
                };
        var _ = server.exportTree("/failing", loop, failing);
        for (int i = 0; i < 2 * FEW_CALLS.incomingCalls; i++) {
            assertThatThrownBy(() -> introspect("/failing"))
                    .hasMessageContaining(DBusException.FAILED)
                    .hasMessageContaining("no paths today");
            assertThatThrownBy(() -> client.object("/failing/a").call(NUMBER, "Twice"))
                    .hasMessageContaining(DBusException.FAILED)
                    .hasMessageContaining("has " + NUMBER + " already");
            assertThatThrownBy(() -> client.object("/failing/linked").call(NUMBER, "Twice"))
                    .hasMessageContaining("no such class");
        }
    }

    private String introspect(String path) throws InterruptedException {
        return (String)
                client.object(path)
                        .call("org.freedesktop.DBus.Introspectable", "Introspect")
                        .getFirst();
    }

    @Test
    void whatASenderCallsIsFoundAndCalledInItsOrder() throws Exception {
        BlockingQueue<String> events = new LinkedBlockingQueue<>();
        Map<String, CompletableFuture<List<BusInterface>>> lookups = new ConcurrentHashMap<>();
        var _ = server.exportTree("/slow", loop, new DeferredTree(lookups, events));
        List<CompletableFuture<List<Object>>> answers = new ArrayList<>();
        answers.add(call(client.object("/slow/a")));
        assertThat(events.take()).isEqualTo("looked up /slow/a");
        answers.add(call(client.object("/slow/b")));
        // the second call has been read
        var _ = client.object("/").call("org.freedesktop.DBus.Peer", "Ping");
        loop.submit(() -> {}).get();
        assertThat(events).isEmpty();
        loop.submit(() -> found(lookups, "/slow/a", events)).get();
        Await.until(() -> lookups.containsKey("/slow/b"));
        loop.submit(() -> found(lookups, "/slow/b", events)).get();
        assertThat(answers.stream().map(ObjectTreeTest::outcome))
                .containsExactly("/slow/a", "/slow/b");
        assertThat(events).containsExactly("called /slow/a", "looked up /slow/b", "called /slow/b");
    }

    private static void found(
            Map<String, CompletableFuture<List<BusInterface>>> lookups,
            String path,
            BlockingQueue<String> events) {
        BusInterface slow =
                BusInterface.named("org.example.Slow")
                        .method(
                                "Wait",
                                "",
                                "s",
                                _ -> {
                                    events.add("called " + path);
                                    return List.of(path);
                                })
                        .build();
        requireNonNull(lookups.get(path)).complete(List.of(slow));
    }

    /** Records each look-up, and completes it when the test says so. */
    private record DeferredTree(
            Map<String, CompletableFuture<List<BusInterface>>> lookups,
            BlockingQueue<String> events)
            implements ObjectTree {
        @Override
        public CompletionStage<List<BusInterface>> interfaces(String path) {
            CompletableFuture<List<BusInterface>> answer = new CompletableFuture<>();
            lookups.put(path, answer);
            events.add("looked up " + path);
            return answer;
        }

        @Override
        public Collection<String> paths() {
            return lookups.keySet();
        }
    }

    @Test
    void callsThatWaitForOneAnotherAreManyAndDoNotNest() throws Exception {
        CallOrder order = new CallOrder();
        CompletableFuture<Void> first = new CompletableFuture<>();
        order.next("a").ready(() -> first);
        AtomicInteger ran = new AtomicInteger();
        for (int i = 0; i < 100_000; i++) {
            order.next("a").ready(() -> CompletableFuture.completedStage(ran.incrementAndGet()));
        }
        order.next("b").ready(() -> CompletableFuture.completedStage(ran.incrementAndGet()));
        assertThat(ran).hasValue(1);
        first.complete(null);
        assertThat(ran).hasValue(100_001);
        order.next("a")
                .ready(() -> {
                    throw new IllegalStateException("not answered");
                });
        order.next("a").ready(() -> CompletableFuture.completedStage(ran.incrementAndGet()));
        assertThat(ran).hasValue(100_002);
    }

    @Test
    void aTreeThatIsWithdrawnIsGoneAndAPathHasOne() throws Exception {
        Numbers numbers = new Numbers();
        AutoCloseable handle = server.exportTree("/numbers", loop, numbers);
        assertThatThrownBy(() -> server.exportTree("/numbers", loop, numbers))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> server.exportTree("numbers", loop, numbers))
                .isInstanceOf(IllegalArgumentException.class);
        handle.close();
        assertThatThrownBy(() -> client.object("/numbers/1").get(NUMBER, "Value"))
                .hasMessageContaining("UnknownObject");
    }

    @Test
    void repliesThatComeLaterHoldNobodyUpAndAreLimited() throws Exception {
        BlockingQueue<CompletableFuture<List<?>>> waiting = new LinkedBlockingQueue<>();
        BusInterface slow =
                BusInterface.named("org.example.Slow")
                        .asyncMethod("Wait", "", "s", (_, reply) -> waiting.add(reply))
                        .asyncMethod(
                                "Fail",
                                "",
                                "",
                                (_, reply) ->
                                        reply.completeExceptionally(
                                                new DBusException("org.example.No", "not now")))
                        .asyncMethod(
                                "Throw",
                                "",
                                "",
                                (_, _) -> {
                                    throw new DBusException("org.example.Never", "never");
                                })
                        .build();
        var _ = server.export("/slow", slow);
        RemoteObject object = client.object("/slow");
        List<CompletableFuture<List<Object>>> calls =
                List.of(call(object), call(object), call(object));
        List<CompletableFuture<List<?>>> replies =
                List.of(waiting.take(), waiting.take(), waiting.take());
        assertThatThrownBy(() -> object.call("org.example.Slow", "Wait"))
                .hasMessageContaining("LimitsExceeded");
        replies.getLast().complete(List.of("last"));
        assertThat(CompletableFuture.anyOf(calls.toArray(CompletableFuture[]::new)).join())
                .isEqualTo(List.of("last"));
        assertThatThrownBy(() -> object.call("org.example.Slow", "Fail"))
                .hasMessageContaining("org.example.No");
        assertThatThrownBy(() -> object.call("org.example.Slow", "Throw"))
                .hasMessageContaining("org.example.Never");
        replies.getFirst().complete(List.of(42)); // does not fit the signature
        replies.get(1).complete(List.of("second"));
        assertThat(calls.stream().map(ObjectTreeTest::outcome))
                .containsExactlyInAnyOrder("last", "second", "failed");
    }

    private static CompletableFuture<List<Object>> call(RemoteObject object) {
        CompletableFuture<List<Object>> answer = new CompletableFuture<>();
        var _ =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                answer.complete(object.call("org.example.Slow", "Wait"));
                            } catch (InterruptedException | RuntimeException e) {
                                answer.completeExceptionally(e);
                            }
                        });
        return answer;
    }

    private static Object outcome(CompletableFuture<List<Object>> call) {
        return call.handle((values, _) -> values == null ? "failed" : values.getFirst()).join();
    }

    @Test
    void anExecutorThatTakesNoMoreIsToldToTheCaller() throws Exception {
        var _ =
                server.exportTree(
                        "/numbers",
                        _ -> {
                            throw new RejectedExecutionException("full");
                        },
                        new Numbers());
        // a refused call is not counted any more
        for (int i = 0; i < 2 * FEW_CALLS.incomingCalls; i++) {
            assertThatThrownBy(() -> client.object("/numbers/1").get(NUMBER, "Value"))
                    .hasMessageContaining("full");
        }
    }

    @Test
    void signalsAreOfferedWithoutAnObject() throws Exception {
        assertThat(prepared).as("before anything was read").containsExactly(server);
        try (Subscription signals = client.subscribe("type='signal',member='Tick'")) {
            assertThat(server.isReady()).isTrue();
            server.offerSignal("", "/clock", "org.example.Clock", "Tick", "su", "now", 7);
            try (Message tick = signals.take()) {
                assertThat(tick.values()).containsExactly("now", 7L);
                assertThat(tick.path()).isEqualTo("/clock");
            }
        }
        client.close();
        server.awaitEnd();
        assertThat(server.isReady()).isFalse();
        server.offerSignal("", "/clock", "org.example.Clock", "Tick", "s", "to nobody");
    }
}
