package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A bus inside an application, with our own client. */
@Timeout(60)
class EmbeddedBusTest {
    @TempDir Path folder;

    private BusAddress address() {
        return BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    @Test
    void aReloadThatTheEndOvertakesFails() throws Exception {
        CountDownLatch loading = new CountDownLatch(1);
        Semaphore loads = new Semaphore(1); // the first load, when the bus opens
        Bus bus =
                Bus.open(
                        BusOptions.of(
                                () -> {
                                    if (!loads.tryAcquire()) {
                                        loading.countDown();
                                        loads.acquireUninterruptibly();
                                    }
                                    return BusConfig.permissive();
                                },
                                address()));
        var reload = bus.reload();
        loading.await();
        bus.close();
        loads.release();

        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(reload::get)
                .withCauseInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatHangsOnAReloadMayCloseTheBus() throws Exception {
        Bus bus = Bus.open(address(), BusConfig.permissive());
        CompletableFuture<Void> closed = bus.reload().thenRun(bus::close);
        closed.get();
        bus.close();
        assertThat(bus.reload()).isCompletedExceptionally();
    }

    @Test
    void aServiceThatItSpawnsHasTheUmaskOfTheOptions() throws Exception {
        Path output = folder.resolve("output");
        Files.writeString(
                folder.resolve("s.s.service"),
                "[D-BUS Service]\nName=s.s\nExec=/bin/sh -c 'umask >> %s; exit 1'\n"
                        .formatted(output));
        BusConfig config =
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(folder, false)));
        BusOptions options = BusOptions.of(() -> config, address());
        for (BusOptions each : List.of(options, options.withServiceUmask(037))) {
            try (Bus bus = Bus.open(each);
                    BusConnection client =
                            BusConnection.connect(bus.addresses().getFirst().toString())) {
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() ->
                                client.bus()
                                        .call(
                                                "org.freedesktop.DBus",
                                                "StartServiceByName",
                                                "su",
                                                "s.s",
                                                0));
            }
        }
        assertThat(output).hasContent("0022\n0037");
    }

    @Test
    void aRefusedSubscriptionTakesNoRuleFromAnother() throws Exception {
        Limits limits = Limits.BUILT_IN.with(BusLimit.MAX_MATCH_RULES_PER_CONNECTION, 1);
        try (Bus bus = Bus.open(address(), BusConfig.permissive().withLimits(limits));
                BusConnection client =
                        BusConnection.connect(bus.addresses().getFirst().toString());
                BusConnection other = BusConnection.connect(bus.addresses().getFirst().toString());
                ExportedObject emitter =
                        other.export("/p", BusInterface.named("a.b").signal("S", "").build());
                Subscription first = client.subscribe("member='S'")) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> client.subscribe("member='S'").close())
                    .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED));
            assertThat(client.owner(other.uniqueName())).isPresent(); // a round trip
            emitter.emit("a.b", "S");
            first.take().close();
        }
    }
}
