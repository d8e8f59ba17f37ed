package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.UnitLookup;
import io.holdfast.authority.subject.UnitLookup.ProcessUnit;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.ObjectPath;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the lookup with a manager on the bus that replies correctly, wrongly, late or never. */
@Timeout(120)
class BusUnitsTest {
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";
    private static final String SERVICE = "org.freedesktop.systemd1.Service";
    private static final String UNIT = "/org/freedesktop/systemd1/unit/x";
    private static final ProcessUnit BY_CGROUP = new ProcessUnit("cgroup.service", false);

    @TempDir Path folder;
    private Bus bus;
    private BusConnection own;
    private BusConnection manager;
    private PidFd self;
    private UnitLookup units;

    @BeforeEach
    void open() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        bus = Bus.open(address, BusConfig.permissive());
        own = BusConnection.connect(address.toString());
        manager = BusConnection.connect(address.toString());
        self = PidFd.self();
        units = new BusUnits(() -> Optional.of(own), _ -> Optional.of(BY_CGROUP));
    }

    @AfterEach
    void close() {
        self.close();
        manager.close();
        own.close();
        bus.close();
    }

    private void serve(BusInterface face) throws InterruptedException {
        manager.export("/org/freedesktop/systemd1", face);
        var _ = manager.requestName("org.freedesktop.systemd1");
    }

    private void serve(String unit) throws InterruptedException {
        serve(
                BusInterface.named(MANAGER)
                        .method(
                                "GetUnitByPIDFD",
                                "h",
                                "osay",
                                _ -> List.of(new ObjectPath(UNIT), unit, List.of()))
                        .build());
    }

    private void serveService(String type, Object noNewPrivileges) {
        manager.export(
                UNIT,
                BusInterface.named(SERVICE)
                        .property("NoNewPrivileges", type, () -> noNewPrivileges)
                        .build());
    }

    @Test
    void theManagerTellsOfServicesWhetherTheyCanGainPrivileges() throws Exception {
        serve("x.service");
        serveService("b", true);
        assertThat(units.find(self)).contains(new ProcessUnit("x.service", true));
    }

    @Test
    void whatIsNoServiceHasNoSuchProperty() throws Exception {
        serve("session-7.scope");
        assertThat(units.find(self)).contains(new ProcessUnit("session-7.scope", false));
    }

    @Test
    void aServiceOfWhichThatCannotBeReadIsNone() throws Exception {
        serve("x.service");
        assertThat(units.find(self)).as("no such object").isEmpty();
        serveService("s", "yes");
        assertThat(units.find(self)).as("another type").isEmpty();
    }

    @Test
    void withoutAManagerTheCgroupTells() throws Exception {
        assertThat(units.find(self)).contains(BY_CGROUP);
        serve(BusInterface.named(MANAGER).method("GetUnit", "s", "o", _ -> List.of()).build());
        assertThat(units.find(self)).as("one before systemd 253").contains(BY_CGROUP);
        own.close();
        assertThat(units.find(self)).as("no bus").contains(BY_CGROUP);
    }

    @Test
    void wrongAnswersAreNone() throws Exception {
        serve(
                BusInterface.named(MANAGER)
                        .method("GetUnitByPIDFD", "h", "s", _ -> List.of("x.service"))
                        .build());
        assertThat(units.find(self)).isEmpty();
    }

    @Test
    void noNameIsNone() throws Exception {
        serve("");
        assertThat(units.find(self)).isEmpty();
    }

    @Test
    void anErrorOfTheManagerIsNone() throws Exception {
        serve(
                BusInterface.named(MANAGER)
                        .method(
                                "GetUnitByPIDFD",
                                "h",
                                "osay",
                                _ -> {
                                    throw new DBusException(
                                            "org.freedesktop.systemd1.NoUnitForPID", "none");
                                })
                        .build());
        assertThat(units.find(self)).isEmpty();
    }

    /** A reply that is too late does not count: the rule is evaluated without a unit. */
    @Test
    void whoNeverAnswersIsNotWaitedForForEver() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        serve(
                BusInterface.named(MANAGER)
                        .concurrent()
                        .method(
                                "GetUnitByPIDFD",
                                "h",
                                "osay",
                                _ -> {
                                    end.await();
                                    return List.of(new ObjectPath(UNIT), "late.scope", List.of());
                                })
                        .build());
        assertThat(units.find(self)).isEmpty();
        end.countDown();
    }

    @Test
    void aManagerThatDiesInTheCallHasToldNothing() throws Exception {
        CompletableFuture<Boolean> called = new CompletableFuture<>();
        serve(
                BusInterface.named(MANAGER)
                        .concurrent()
                        .method(
                                "GetUnitByPIDFD",
                                "h",
                                "osay",
                                _ -> {
                                    called.complete(true);
                                    new CountDownLatch(1).await();
                                    return List.of();
                                })
                        .build());
        CompletableFuture<Optional<ProcessUnit>> found = new CompletableFuture<>();
        Thread asking = Thread.ofPlatform().start(() -> found.complete(units.find(self)));
        assertThat(called.join()).isTrue();
        manager.close();
        assertThat(found.join()).isEmpty();
        asking.join();
    }
}
