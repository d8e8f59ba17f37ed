package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A fresh bus for each test, with two connections. The subclass chooses the bus. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
public abstract class OnBus {
    static final String TEST = "org.example.Test";
    static final String PATH = "/org/example/Test";

    private @Nullable TestBus bus;
    private @Nullable BusConnection service;
    private @Nullable BusConnection client;

    /** Starts the bus. */
    protected abstract TestBus start(Path folder) throws Exception;

    @BeforeEach
    final void connectBoth(@TempDir Path folder) throws Exception {
        TestBus started = start(folder);
        bus = started;
        service = BusConnection.connect(started.address());
        client = BusConnection.connect(started.address());
    }

    @AfterEach
    final void closeAll() {
        for (AutoCloseable opened : new @Nullable AutoCloseable[] {client, service, bus}) {
            if (opened != null) {
                assertThat(opened).satisfies(AutoCloseable::close);
            }
        }
    }

    private static <T> T started(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException("the bus did not start");
        }
        return part;
    }

    protected final TestBus bus() {
        return started(bus);
    }

    /** The connection that exports objects. */
    protected final BusConnection service() {
        return started(service);
    }

    /** The connection that calls them. */
    protected final BusConnection client() {
        return started(client);
    }

    /** The object of the service, as the client sees it. */
    final RemoteObject remote() {
        return client().object(service().uniqueName(), PATH);
    }

    static BusInterface.Builder test() {
        return BusInterface.named(TEST);
    }

    static void assertError(String name, ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.name()).isEqualTo(name));
    }
}
