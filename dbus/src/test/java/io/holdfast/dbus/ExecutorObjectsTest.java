package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.testkit.PeerPair;
import io.holdfast.dbus.typed.DBusName;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Objects with an executor: nothing of them runs on another thread. */
@SuppressWarnings("try") // exported objects are only kept open
@SameOnEveryKernel
@Timeout(60)
class ExecutorObjectsTest {
    private static final String TEST = "org.example.Test";
    private static final String MANAGER = StandardInterfaces.OBJECT_MANAGER;

    private final ExecutorService loop = loop("the loop");
    private final ExecutorService otherLoop = loop("the other loop");
    private final BlockingQueue<String> threads = new LinkedBlockingQueue<>();

    /** An executor whose tasks the test runs. */
    private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

    private PeerPair pair;

    private static ExecutorService loop(String name) {
        return Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name(name).factory());
    }

    @BeforeEach
    void connect() throws Exception {
        pair = PeerPair.connect();
    }

    @AfterEach
    void close() {
        pair.close();
        loop.shutdownNow();
        otherLoop.shutdownNow();
    }

    /** An object whose property is the thread that reads it. */
    private BusInterface described() {
        return BusInterface.named(TEST).property("Thread", "s", this::thread).build();
    }

    private String thread() {
        String name = Thread.currentThread().getName();
        threads.add(name);
        return name;
    }

    private static Map<String, Object> readBy(String thread) {
        return Map.of(TEST, Map.of("Thread", Variant.of(thread)));
    }

    private List<Object> managed(String path) throws InterruptedException {
        return pair.client().object(path).call(MANAGER, "GetManagedObjects");
    }

    @Test
    void itsPropertiesAreReadThereForTheObjectsAbove() throws Exception {
        try (ExportedObject virtual = pair.server().export("/a");
                ExportedObject onLoop = pair.server().export("/a/b", loop);
                ExportedObject same = pair.server().export("/a/b/c", loop, described());
                ExportedObject other = pair.server().export("/a/b/d", otherLoop, described())) {
            Map<String, Object> readByLoop = readBy("the loop");
            Map<String, Object> readByOther = readBy("the other loop");
            ObjectPath first = new ObjectPath("/a/b/c");
            ObjectPath second = new ObjectPath("/a/b/d");
            assertThat(managed("/a/b"))
                    .containsExactly(Map.of(first, readByLoop, second, readByOther));
            assertThat(managed("/a"))
                    .containsExactly(
                            Map.of(
                                    new ObjectPath("/a/b"),
                                    Map.of(),
                                    first,
                                    readByLoop,
                                    second,
                                    readByOther));
        }
    }

    @Test
    void itIsNotReadAfterItWasWithdrawn() throws Exception {
        try (ExportedObject above = pair.server().export("/a")) {
            ExportedObject below = pair.server().export("/a/b", tasks::add, described());
            Runnable announcement = tasks.take();
            FutureTask<List<Object>> call = new FutureTask<>(() -> managed("/a"));
            Thread.ofVirtual().start(call);
            Runnable reading = tasks.take();
            below.close();
            assertThat(call.get()).containsExactly(Map.of());
            announcement.run();
            reading.run();
            assertThat(threads).isEmpty();
        }
    }

    @Test
    void objectsThatCannotBeReadAreLeftOut() throws Exception {
        BusInterface unreadable =
                BusInterface.named(TEST).property("Thread", "s", ExecutorObjectsTest::fail).build();
        try (ExportedObject above = pair.server().export("/a");
                ExportedObject full =
                        pair.server().export("/a/b", ExecutorObjectsTest::reject, described());
                ExportedObject failing = pair.server().export("/a/c", loop, unreadable);
                ExportedObject good = pair.server().export("/a/d", loop, described())) {
            assertThat(managed("/a"))
                    .containsExactly(Map.of(new ObjectPath("/a/d"), readBy("the loop")));
        }
    }

    private static String fail() {
        throw new IllegalStateException("cannot be read");
    }

    @Test
    void anObjectThatIsAddedWhileTheOthersAreReadIsInTheReply() throws Exception {
        try (ExportedObject above = pair.server().export("/a");
                ExportedObject slow = pair.server().export("/a/b", tasks::add)) {
            Runnable announcement = tasks.take();
            FutureTask<List<Object>> call = new FutureTask<>(() -> managed("/a"));
            Thread.ofVirtual().start(call);
            Runnable reading = tasks.take();
            try (ExportedObject added = pair.server().export("/a/c", loop, described())) {
                reading.run();
                assertThat(call.get())
                        .containsExactly(
                                Map.of(
                                        new ObjectPath("/a/b"),
                                        Map.of(),
                                        new ObjectPath("/a/c"),
                                        readBy("the loop")));
            }
            announcement.run();
        }
    }

    @Test
    void theObjectsAboveAnnounceIt() throws Exception {
        try (ExportedObject above = pair.server().export("/a");
                Subscription signals = pair.client().subscribe("interface='" + MANAGER + "'")) {
            ExportedObject below = pair.server().export("/a/b", loop, described());
            try (Message added = signals.take()) {
                assertThat(added.member()).isEqualTo("InterfacesAdded");
                assertThat(added.path()).isEqualTo("/a");
                assertThat(added.values())
                        .containsExactly(new ObjectPath("/a/b"), readBy("the loop"));
            }
            below.close();
            assertRemoved(signals, "/a/b");

            ExportedObject brief = pair.server().export("/a/c", tasks::add, described());
            brief.close();
            tasks.take().run();
            assertRemoved(signals, "/a/c");
            assertThat(above.path()).isEqualTo("/a");
        }
    }

    private static void assertRemoved(Subscription signals, String path) throws Exception {
        try (Message removed = signals.take()) {
            assertThat(removed.member()).isEqualTo("InterfacesRemoved");
            assertThat(removed.values()).containsExactly(new ObjectPath(path), List.of(TEST));
        }
    }

    @Test
    void itStaysExportedIfItCannotBeAnnounced() throws Exception {
        BusInterface unfit =
                BusInterface.named(TEST)
                        .property("Number", "i", () -> "no number")
                        .method("M", "", "i", _ -> List.of(1))
                        .build();
        try (ExportedObject above = pair.server().export("/a");
                Subscription signals = pair.client().subscribe("interface='" + MANAGER + "'");
                ExportedObject object = pair.server().export("/a/b", loop, unfit);
                ExportedObject full =
                        pair.server().export("/a/c", ExecutorObjectsTest::reject, described());
                ExportedObject next = pair.server().export("/a/d", loop, described())) {
            assertThat(pair.client().object("/a/b").call(TEST, "M")).containsExactly(1);
            try (Message added = signals.take()) {
                assertThat(added.values()).startsWith(new ObjectPath("/a/d"));
            }
        }
    }

    private static void reject(Runnable task) {
        throw new RejectedExecutionException("no room for " + task);
    }

    /** An interface whose methods return the thread that runs them. */
    @DBusName("org.example.Threads")
    public interface Threads {
        String now();

        CompletionStage<String> later();
    }

    private Threads runningThreads() {
        return new Threads() {
            @Override
            public String now() {
                return thread();
            }

            @Override
            public CompletionStage<String> later() {
                return CompletableFuture.completedStage(thread());
            }
        };
    }

    @Test
    void typedMethodsThatReturnAStageBeginThere() throws Exception {
        BusInterface typed = Export.describe(Threads.class, runningThreads());
        ObjectTree tree =
                new ObjectTree() {
                    @Override
                    public CompletionStage<List<BusInterface>> interfaces(String path) {
                        return CompletableFuture.completedStage(List.of(typed));
                    }

                    @Override
                    public Collection<String> paths() {
                        return List.of();
                    }
                };
        try (ExportedObject object = pair.server().export("/object", loop, typed);
                AutoCloseable exported = pair.server().exportTree("/tree", loop, tree)) {
            for (String path : List.of("/object", "/tree/object")) {
                RemoteObject remote = pair.client().object(path);
                assertThat(remote.call("org.example.Threads", "Now")).containsExactly("the loop");
                assertThat(remote.call("org.example.Threads", "Later")).containsExactly("the loop");
            }
        }
        try (ExportedObject full =
                pair.server().export("/full", ExecutorObjectsTest::reject, typed)) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() ->
                            pair.client().object("/full").call("org.example.Threads", "Later"))
                    .withMessageContaining(DBusException.LIMITS_EXCEEDED)
                    .withMessageContaining("no room");
        }
    }
}
