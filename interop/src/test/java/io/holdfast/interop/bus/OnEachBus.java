package io.holdfast.interop.bus;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.testkit.DbusBroker;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Tests that run on a bus of each kind in turn, one bus for all tests of the class. Each test has
 * our connection to it, and can start other programs.
 */
@ParameterizedClass(name = "{0}")
@EnumSource(TestBus.Kind.class)
@Timeout(180)
abstract class OnEachBus {
    private static @Nullable Path folder;
    private static @Nullable TestBus bus;

    @Parameter TestBus.@Nullable Kind kind; // makes it the parameter of startBus

    private @Nullable BusConnection connection;
    private @Nullable Programs programs;

    @BeforeParameterizedClassInvocation
    static void startBus(TestBus.Kind kind) throws IOException, InterruptedException {
        Path made = Files.createTempDirectory("holdfast-interop");
        folder = made;
        bus =
                switch (kind) {
                    case HOLDFAST -> HoldfastBus.start(made);
                    case DBUS_DAEMON -> DbusDaemon.start(made);
                    case DBUS_BROKER -> DbusBroker.start(made);
                };
    }

    @AfterParameterizedClassInvocation
    static void stopBus() throws IOException {
        TestBus started = bus;
        if (started != null) {
            started.close();
        }
        Path made = folder;
        if (made != null) {
            try (Stream<Path> files = Files.walk(made)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    @BeforeEach
    final void connect() throws InterruptedException {
        connection = BusConnection.connect(bus().address());
        programs = new Programs(bus().address());
    }

    @AfterEach
    final void disconnect() throws InterruptedException {
        if (programs != null) {
            programs.close();
        }
        if (connection != null) {
            connection.close();
        }
    }

    static TestBus bus() {
        return Objects.requireNonNull(bus, "the bus did not start");
    }

    static String address() {
        return bus().address();
    }

    /** Returns a connection of this process. */
    final BusConnection connection() {
        return Objects.requireNonNull(connection);
    }

    /** Returns the starter of programs that are clients of this bus. */
    final Programs programs() {
        return Objects.requireNonNull(programs);
    }

    /** Waits until a name has an owner, and returns the owner. */
    final String awaitOwner(String name) throws InterruptedException {
        String rule = "type='signal',member='NameOwnerChanged',arg0='" + name + "'";
        try (Subscription changes = connection().subscribe(rule)) {
            Optional<String> owner = connection().owner(name);
            while (owner.isEmpty()) {
                changes.take().close();
                owner = connection().owner(name);
            }
            return owner.get();
        }
    }
}
