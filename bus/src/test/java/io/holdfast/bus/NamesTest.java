package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Timeout;

/** The owner of a name, the queue for it, and the order of the signals about both. */
@Timeout(120)
class NamesTest {
    private static final int ALLOW_REPLACEMENT = 1;
    private static final int REPLACE_EXISTING = 2;
    private static final int DO_NOT_QUEUE = 4;
    private static final long PRIMARY_OWNER = 1;
    private static final long IN_QUEUE = 2;
    private static final long EXISTS = 3;
    private static final long ALREADY_OWNER = 4;

    private static long request(TestClient by, int flags) throws InterruptedException {
        return (Long) by.query("RequestName", "n.n", flags);
    }

    private static long release(TestClient by) throws InterruptedException {
        return (Long) by.query("ReleaseName", "n.n");
    }

    private static Object queue(TestClient client) throws InterruptedException {
        return client.query("ListQueuedOwners", "n.n");
    }

    /** Returns a client that receives all changes of names. */
    private static TestClient observer(TestBus bus) throws InterruptedException {
        TestClient observer = bus.connect();
        assertThat(observer.tryBus(BUS, "AddMatch", "member='NameOwnerChanged'"))
                .isEqualTo("return");
        return observer;
    }

    @EveryBus
    void aFreeNameIsTakenAndGivenBack(TestBus bus) throws Exception {
        TestClient observer = observer(bus);
        TestClient a = bus.connect();
        var _ = observer.heard();

        assertThat(request(a, 0)).isEqualTo(PRIMARY_OWNER);
        assertThat(a.heard()).containsExactly("NameAcquired(n.n)");
        assertThat(request(a, 0)).isEqualTo(ALREADY_OWNER);
        assertThat(release(a)).isEqualTo(1L);
        assertThat(a.heard()).containsExactly("NameLost(n.n)");
        assertThat(release(a)).isEqualTo(2L);
        assertThat(observer.heard())
                .containsExactly(
                        "NameOwnerChanged(n.n,," + a.name() + ")",
                        "NameOwnerChanged(n.n," + a.name() + ",)");
    }

    @EveryBus
    void signalsComeBeforeTheReply(TestBus bus) throws Exception {
        TestClient a = observer(bus);

        int serial = a.send(a.toBus(BUS, "RequestName", "n.n", 0));
        assertThat(a.describe(a.read())).isEqualTo("NameOwnerChanged(n.n,," + a.name() + ")");
        assertThat(a.describe(a.read())).isEqualTo("NameAcquired(n.n)");
        assertThat(a.read().replySerial()).isEqualTo(serial);

        serial = a.send(a.toBus(BUS, "ReleaseName", "n.n"));
        assertThat(a.describe(a.read())).isEqualTo("NameLost(n.n)");
        assertThat(a.describe(a.read())).isEqualTo("NameOwnerChanged(n.n," + a.name() + ",)");
        assertThat(a.read().replySerial()).isEqualTo(serial);
    }

    @EveryBus
    void anotherCannotReleaseIt(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, 0)).isEqualTo(PRIMARY_OWNER);

        assertThat(release(b)).isEqualTo(3L);
        assertThat(a.query("GetNameOwner", "n.n")).isEqualTo(a.name());
    }

    @EveryBus
    void someNamesCannotBeOwned(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (String name : List.of(BUS, a.name(), ":1.77", "a.b".repeat(86))) {
            assertThat(a.tryBus(BUS, "RequestName", name, 0)).isEqualTo("InvalidArgs");
            assertThat(a.tryBus(BUS, "ReleaseName", name)).isEqualTo("InvalidArgs");
        }
        assertThat(a.tryBus(BUS, "RequestName", "a." + "b".repeat(253), 0)).isEqualTo("return(1)");
    }

    @EveryBus
    void whoWaitsInheritsInTheOrderOfTheQueue(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connect();
        assertThat(request(c, 0)).isEqualTo(PRIMARY_OWNER);
        assertThat(request(b, 0)).isEqualTo(IN_QUEUE);
        assertThat(request(a, 0)).isEqualTo(IN_QUEUE);
        assertThat(request(b, ALLOW_REPLACEMENT)).isEqualTo(IN_QUEUE);
        assertThat(queue(a)).isEqualTo(List.of(c.name(), b.name(), a.name()));

        assertThat(release(c)).isEqualTo(1L);
        assertThat(queue(a)).isEqualTo(List.of(b.name(), a.name()));
        assertThat(b.heard()).containsExactly("NameAcquired(n.n)");
        assertThat(release(a)).as("a queued owner").isEqualTo(1L);
        assertThat(queue(a)).isEqualTo(List.of(b.name()));
        assertThat(a.heard()).isEmpty();
    }

    @EveryBus
    void anOwnerThatAllowsItIsReplacedAndIsBackLater(TestBus bus) throws Exception {
        TestClient observer = observer(bus);
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, ALLOW_REPLACEMENT)).isEqualTo(PRIMARY_OWNER);
        var _ = a.heard();
        var _ = observer.heard();

        assertThat(request(b, REPLACE_EXISTING)).isEqualTo(PRIMARY_OWNER);
        assertThat(a.heard()).containsExactly("NameLost(n.n)");
        assertThat(b.heard()).containsExactly("NameAcquired(n.n)");
        assertThat(observer.heard())
                .containsExactly("NameOwnerChanged(n.n," + a.name() + "," + b.name() + ")");
        assertThat(queue(a)).isEqualTo(List.of(b.name(), a.name()));
        assertThat(release(b)).isEqualTo(1L);
        assertThat(a.heard()).containsExactly("NameAcquired(n.n)");
    }

    @EveryBus
    void whoIsReplacedAndWillNotQueueIsOut(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, ALLOW_REPLACEMENT | DO_NOT_QUEUE)).isEqualTo(PRIMARY_OWNER);

        assertThat(request(b, REPLACE_EXISTING)).isEqualTo(PRIMARY_OWNER);
        assertThat(queue(a)).isEqualTo(List.of(b.name()));
        assertThat(release(a)).isEqualTo(3L);
    }

    @EveryBus
    void anOwnerThatDoesNotAllowItStays(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, 0)).isEqualTo(PRIMARY_OWNER);

        assertThat(request(b, REPLACE_EXISTING | DO_NOT_QUEUE)).isEqualTo(EXISTS);
        assertThat(queue(a)).isEqualTo(List.of(a.name()));
        assertThat(request(b, REPLACE_EXISTING)).isEqualTo(IN_QUEUE);
        assertThat(request(b, DO_NOT_QUEUE)).as("leaves the queue").isEqualTo(EXISTS);
        assertThat(queue(a)).isEqualTo(List.of(a.name()));
        assertThat(release(b)).isEqualTo(3L);
    }

    @EveryBus
    void theLatestFlagsOfTheOwnerCount(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, ALLOW_REPLACEMENT)).isEqualTo(PRIMARY_OWNER);
        assertThat(request(a, 0)).isEqualTo(ALREADY_OWNER);
        assertThat(request(b, REPLACE_EXISTING)).isEqualTo(IN_QUEUE);
        assertThat(request(a, ALLOW_REPLACEMENT)).isEqualTo(ALREADY_OWNER);
        assertThat(queue(a))
                .as("REPLACE_EXISTING is not kept")
                .isEqualTo(List.of(a.name(), b.name()));
        assertThat(request(b, REPLACE_EXISTING)).isEqualTo(PRIMARY_OWNER);
        assertThat(queue(a)).isEqualTo(List.of(b.name(), a.name()));
    }

    @EveryBus
    void theNamesOfOneThatGoesPassOn(TestBus bus) throws Exception {
        TestClient observer = observer(bus);
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(request(a, 0)).isEqualTo(PRIMARY_OWNER);
        assertThat(request(b, 0)).isEqualTo(IN_QUEUE);
        assertThat(a.query("RequestName", "m.m", 0)).isEqualTo(PRIMARY_OWNER);
        var _ = observer.heard();

        a.close();
        assertThat(b.describe(b.read())).isEqualTo("NameAcquired(n.n)");
        String last = "NameOwnerChanged(" + a.name() + "," + a.name() + ",)";
        assertThat(List.of(observer.describe(observer.read()), observer.describe(observer.read())))
                .containsExactlyInAnyOrder(
                        "NameOwnerChanged(n.n," + a.name() + "," + b.name() + ")",
                        "NameOwnerChanged(m.m," + a.name() + ",)");
        assertThat(observer.describe(observer.read())).isEqualTo(last);
        assertThat(queue(b)).isEqualTo(List.of(b.name()));
    }

    @EveryBus
    void aThousandNamesComeAndGo(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int i = 0; i < 500; i++) {
            assertThat(a.query("RequestName", "n.n" + i, 0)).isEqualTo(PRIMARY_OWNER);
        }
        for (int i = 0; i < 500; i += 2) {
            assertThat(a.query("ReleaseName", "n.n" + i)).isEqualTo(1L);
        }
        for (int i = 0; i < 500; i++) {
            assertThat(b.query("NameHasOwner", "n.n" + i)).isEqualTo(i % 2 == 1);
        }
    }

    @EveryBus
    void twoHundredConnectsLeaveNoNames(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        for (int i = 0; i < 200; i++) {
            try (TestClient b = bus.connect()) {
                assertThat(request(b, 0)).isIn(PRIMARY_OWNER, IN_QUEUE);
            }
        }
        io.holdfast.core.testkit.Await.until(() -> {
            try {
                return ((List<?>) a.query("ListNames")).size() == 2;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
