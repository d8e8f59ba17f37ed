package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.bus.service.Activator;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A service manager embedded in the bus's program starts its services. */
@Timeout(60)
class ActivatorTest {
    private static final String NAME = "s.s";

    /** Records the starts that the bus requested. */
    private static final class Asked implements Activator {
        record One(ServiceFile service, Start start) {}

        final BlockingQueue<One> starts = new LinkedBlockingQueue<>();
        final BlockingQueue<Map<String, String>> environments = new LinkedBlockingQueue<>();
        volatile int closes;

        @Override
        public void start(ServiceFile service, Start start) {
            boolean ignored = starts.add(new One(service, start));
        }

        @Override
        public void setEnvironment(Map<String, String> variables) {
            boolean ignored = environments.add(variables);
        }

        @Override
        public synchronized void close() {
            closes++;
        }

        One next() throws InterruptedException {
            One one = starts.poll(30, TimeUnit.SECONDS);
            assertThat(one).as("a start was requested").isNotNull();
            return java.util.Objects.requireNonNull(one);
        }
    }

    @TempDir private Path folder;
    private final Asked activator = new Asked();
    private Bus bus;

    @BeforeEach
    void open() throws Exception {
        Files.writeString(
                folder.resolve("s.service"), "[D-BUS Service]\nName=s.s\nExec=/no/program a\n");
        BusConfig config =
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)));
        bus =
                Bus.open(
                        BusOptions.of(
                                        () -> config,
                                        BusAddress.parse("unix:path=" + folder.resolve("bus")))
                                .withActivator(activator));
    }

    @AfterEach
    void close() {
        bus.close();
    }

    private TestClient connect() throws InterruptedException {
        return TestClient.silent(bus.addresses().getFirst().toString()).authenticate(true).hello();
    }

    @Test
    void itIsAskedOnceAndWhatWaitsComesInOrderToWhoeverTakesTheName() throws Exception {
        try (TestClient a = connect();
                TestClient b = connect();
                TestClient service = connect()) {
            for (int i = 0; i < 5; i++) {
                int ignored = a.send(TestClient.body(a.call(NAME, "M"), i));
            }
            assertThat(a.heard()).isEmpty();
            int ignored = b.send(TestClient.body(b.call(NAME, "M"), 5));
            assertThat(b.heard()).isEmpty();
            Asked.One one = activator.next();
            assertThat(one.service().name()).isEqualTo(NAME);
            assertThat(one.service().exec()).containsExactly("/no/program", "a");

            assertThat(service.query("RequestName", NAME, 0)).isEqualTo(1L);
            assertThat(service.heard())
                    .containsExactly(
                            "NameAcquired(s.s)", "M(0)", "M(1)", "M(2)", "M(3)", "M(4)", "M(5)");
            assertThat(activator.starts).as("requested again").isEmpty();

            one.start().failed("a.b.Late", "too late");
            int call = a.send(a.call(NAME, "After"));
            Message got = service.read();
            assertThat(service.describe(got)).isEqualTo("After");
            ignored =
                    service.send(service.writer().methodReturn(got.serial()).destination(a.name()));
            assertThat(a.describe(a.answer(call))).isEqualTo("return");
            assertThat(a.heard()).as("of the late failure").isEmpty();
        }
    }

    @Test
    void allWhoWaitAreToldHowItFailedAndTheNextOneAsksAnew() throws Exception {
        try (TestClient a = connect();
                TestClient b = connect()) {
            int first = a.send(a.call(NAME, "M"));
            int second = a.send(a.toBus(BUS, "StartServiceByName", NAME, 0));
            int third = b.send(b.call(NAME, "M"));
            assertThat(b.heard()).isEmpty();
            Asked.One one = activator.next();

            one.start().failed("a.b.Error", "its disk is full");
            one.start().failed("a.b.Other", "twice");
            for (Message error : List.of(a.answer(first), a.answer(second), b.answer(third))) {
                assertThat(error.errorName()).isEqualTo("a.b.Error");
                assertThat(error.values()).isEqualTo(List.of("its disk is full"));
            }
            assertThat(a.heard()).isEmpty();

            int again = a.send(a.call(NAME, "M"));
            Asked.One another = activator.next();
            one.start().failed("a.b.Old", "of the start before");
            another.start().failed("no error name", "x\0y");
            Message error = a.answer(again);
            assertThat(a.describe(error)).isEqualTo("Failed");
            assertThat(error.values()).isEqualTo(List.of("x y"));
        }
    }

    @Test
    void variablesForServicesArePassedOn() throws Exception {
        try (TestClient a = connect()) {
            var body = a.toBus(BUS, "UpdateActivationEnvironment").body("a{ss}").beginArray();
            body.beginDictEntry().putString("COLOUR").putString("blue").endDictEntry();
            assertThat(a.describe(a.answer(a.send(body.endArray().end())))).isEqualTo("return");

            assertThat(activator.environments).containsExactly(Map.of("COLOUR", "blue"));
        }
    }

    @Test
    void itIsClosedWithTheBusAndMayFailWhatItWasAskedForAfterwards() throws Exception {
        try (TestClient a = connect()) {
            int ignored = a.send(a.call(NAME, "M"));
            Asked.One one = activator.next();
            assertThat(activator.closes).isZero();
            bus.close();
            assertThat(activator.closes).isEqualTo(1);
            one.start().failed("a.b.Late", "there is no bus any more");
            assertThat(a.untilClosed()).isEmpty();
        }
    }
}
