package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Registration;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Message;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Units that nothing refers to are unloaded. */
@Timeout(120)
class UnloadedUnitsTest {
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        stage.service("once", "Type=oneshot", "ExecStart=/bin/echo ready");
        stage.service("bad", "Type=oneshot", "ExecStart=/bin/false");
        stage.service("sleeper", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void awaitLoaded(String... names) {
        Await.until(() -> {
            try {
                return stage.loaded().equals(List.of(names));
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void whatHasEndedWellIsForgottenButItsLastLines() throws Exception {
        assertThat(stage.start("once")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("once.service", "ready");
        awaitLoaded();
        assertThat(stage.status("once").invocationId()).isEmpty();
        assertThat(stage.status("once").log()).containsExactly("ready");
        stage.start("once");
        awaitLoaded();
        assertThat(stage.status("once").log()).containsExactly("ready", "ready");
        assertThat(stage.stop("once")).as("it has a file").isEqualTo(JobResult.DONE);
    }

    @Test
    void whatHasFailedStaysUntilThatIsForgotten() throws Exception {
        stage.start("bad");
        stage.start("once");
        awaitLoaded("bad.service");
        Stage.get(stage.manager().resetFailed(List.of()));
        awaitLoaded();
    }

    @Test
    void whatHasFailedGoesTooIfItsFileSaysSo() throws Exception {
        stage.serviceWith(
                "careless",
                "CollectMode=inactive-or-failed",
                "Type=oneshot",
                "ExecStart=/bin/false");
        stage.start("careless");
        awaitLoaded();
    }

    @Test
    void whatAnActiveUnitNamesStaysWithIt() throws Exception {
        stage.serviceWith(
                "main", "After=once.service\nWants=once.service", "ExecStart=/bin/sleep 1000");
        stage.start("main");
        stage.start("sleeper");
        stage.stop("sleeper");
        awaitLoaded("main.service", "once.service");
        stage.stop("main");
        awaitLoaded();
    }

    @Test
    void unitsThatOnlyNameEachOtherGo() throws Exception {
        stage.serviceWith("one", "Wants=two.service", "Type=oneshot", "ExecStart=/bin/true");
        stage.serviceWith("two", "After=one.service", "Type=oneshot", "ExecStart=/bin/true");
        assertThat(stage.start("one")).isEqualTo(JobResult.DONE);
        awaitLoaded();
    }

    @Test
    void whatHasLostItsFileGoesWhenItEnds() throws Exception {
        stage.start("sleeper");
        Files.delete(stage.unitFolder().resolve("sleeper.service"));
        var _ = Stage.get(stage.reloading());
        assertThat(stage.state("sleeper")).isEqualTo("active/running success");
        stage.stop("sleeper");
        awaitLoaded();
        assertThat(stage.status("sleeper").loadState()).isEqualTo("not-found");
    }

    @Test
    void whatWasRefusedIsNotKept() throws Exception {
        stage.serviceWith("needing", "Requires=nowhere.service", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("needing")).isNotEqualTo(JobResult.DONE);
        awaitLoaded();
    }

    @Test
    void aReferenceKeepsAUnitForAsLongAsItsHolderIsThere() throws Exception {
        Bus bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        String address = bus.addresses().getFirst().toString();
        try (bus;
                Systemd1 face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
                BusConnection watching = BusConnection.connect(address)) {
            var _ = face.connect(address);
            RemoteObject watched = manager(watching);
            watched.call(MANAGER, "Subscribe", "");
            try (Subscription removed = watching.subscribe("type='signal',member='UnitRemoved'")) {
                BusConnection holder = BusConnection.connect(address);
                try (holder) {
                    manager(holder).call(MANAGER, "RefUnit", "s", "once.service");
                    stage.start("once");
                    stage.start("sleeper");
                    stage.stop("sleeper");
                    assertThat(next(removed)).isEqualTo("sleeper.service");
                    assertThat(stage.loaded()).containsExactly("once.service");
                    assertThat(stage.status("once").invocationId()).isNotEmpty();
                }
                assertThat(next(removed)).as("its holder has gone").isEqualTo("once.service");
                assertThatThrownBy(() -> watched.call(MANAGER, "GetUnit", "s", "once.service"))
                        .hasMessageContaining("not loaded");
            }
        }
    }

    private static RemoteObject manager(BusConnection client) {
        return client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
    }

    private static String next(Subscription signals) throws Exception {
        try (Message signal = signals.take()) {
            return (String) signal.values().getFirst();
        }
    }

    /** A face is closed by any thread, while the loop asks its holder. */
    @Test
    void aHolderMayBeRemovedWhileTheHoldersAreAsked() throws Exception {
        List<Registration> others = new ArrayList<>();
        Registration holder =
                stage.manager()
                        .view()
                        .hold(_ -> {
                            others.forEach(Registration::cancel);
                            return false;
                        });
        others.add(stage.manager().view().hold(_ -> false));
        assertThat(stage.start("once")).isEqualTo(JobResult.DONE);
        assertThat(stage.loaded()).isEmpty();
        assertThat(stage.manager().loop().errors()).isZero();
        holder.cancel();
    }
}
