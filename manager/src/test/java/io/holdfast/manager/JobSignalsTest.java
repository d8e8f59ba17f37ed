package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The signals about jobs, as a peer of the private socket receives them. */
@Timeout(120)
class JobSignalsTest {
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private BusConnection peer;
    private Subscription signals;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        peer =
                BusConnection.withPeer(
                        UnixSocket.connect(
                                UnixAddress.path(
                                        stage.runtimeDirectory().resolve("systemd/private")),
                                SocketType.STREAM),
                        ConnectionOptions.standard());
        signals = peer.subscribe("type='signal'");
    }

    @AfterEach
    void close() throws Exception {
        signals.close();
        peer.close();
        face.close();
        stage.close();
    }

    private RemoteObject manager() {
        return peer.object("/org/freedesktop/systemd1");
    }

    private String job(String method, String unit, String mode) throws Exception {
        Object path = manager().call(MANAGER, method, "ss", unit, mode).getFirst();
        return ((ObjectPath) path).path();
    }

    private static String element(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Returns the signals, one word each, until a job has ended. */
    private List<String> heardUntilRemoved(String job) throws Exception {
        List<String> heard = new ArrayList<>();
        while (true) {
            try (Message signal = signals.take()) {
                List<Object> values = signal.values();
                switch (String.valueOf(signal.member())) {
                    case "JobNew" -> heard.add("new " + values.get(2));
                    case "JobRemoved" -> {
                        heard.add("removed " + values.get(2) + " " + values.get(3));
                        if (values.get(1).equals(new ObjectPath(job))) {
                            return heard;
                        }
                    }
                    case "PropertiesChanged" -> {
                        Map<?, ?> changed = (Map<?, ?>) values.get(1);
                        if (changed.get("SubState") instanceof io.holdfast.dbus.wire.Variant v) {
                            heard.add(
                                    "changed "
                                            + element(String.valueOf(signal.path()))
                                            + " "
                                            + v.value());
                        }
                    }
                    default -> {}
                }
            }
        }
    }

    @Test
    void aUnitsChangesAreToldBeforeTheEndOfItsJob() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        List<String> heard = heardUntilRemoved(job("StartUnit", "a.service", "replace"));

        assertThat(heard).startsWith("new a.service");
        assertThat(heard.subList(heard.size() - 2, heard.size()))
                .containsExactly("changed a_2eservice running", "removed a.service done");
        List<String> stopped = heardUntilRemoved(job("StopUnit", "a.service", "replace"));
        assertThat(stopped.subList(stopped.size() - 2, stopped.size()))
                .containsExactly("changed a_2eservice dead", "removed a.service done");
    }

    @Test
    void aRestartIsOneJob() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        List<String> heard = heardUntilRemoved(job("RestartUnit", "a.service", "replace"));

        assertThat(heard.stream().filter(one -> one.equals("removed a.service done")))
                .as("%s", heard)
                .hasSize(1 + 1); // the start that the stage requested, and the restart
        assertThat(heard).endsWith("changed a_2eservice running", "removed a.service done");
    }

    @Test
    void pulledInUnitsHaveJobsTooAndFailuresAreNamed() throws Exception {
        stage.service("bad", "Type=oneshot", "ExecStart=/bin/false");
        stage.serviceWith(
                "b", "Requires=bad.service\nAfter=bad.service", "ExecStart=/bin/sleep 1000");
        List<String> heard = heardUntilRemoved(job("StartUnit", "b.service", "replace"));

        assertThat(heard)
                .contains("new b.service", "new bad.service", "removed bad.service failed")
                .endsWith("removed b.service dependency");
    }

    @Test
    void aJobIsAnObjectWhileItLastsAndTheOppositeTakesItsPlaceOrIsRefused() throws Exception {
        stage.service("slow", "Type=oneshot", "ExecStart=/bin/sleep 1000");
        String start = job("StartUnit", "slow.service", "replace");

        assertThat(peer.object(start).get("org.freedesktop.systemd1.Job", "JobType"))
                .isEqualTo("start");
        assertThat(peer.object(start).get("org.freedesktop.systemd1.Job", "State"))
                .isEqualTo("running");
        assertThat(manager().call(MANAGER, "ListJobs").getFirst())
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.LIST)
                .hasSize(1);
        assertThat(job("StartUnit", "slow.service", "replace")).as("the same").isEqualTo(start);
        assertThatThrownBy(() -> job("StopUnit", "slow.service", "fail"))
                .isInstanceOfSatisfying(
                        DBusException.class,
                        e ->
                                assertThat(e.name())
                                        .isEqualTo(
                                                "org.freedesktop.systemd1"
                                                        + ".TransactionIsDestructive"));
        String stop = job("StopUnit", "slow.service", "replace");
        assertThat(heardUntilRemoved(stop))
                .contains("removed slow.service canceled")
                .endsWith("removed slow.service done");
        assertThatThrownBy(() -> peer.object(start).get("org.freedesktop.systemd1.Job", "State"))
                .hasMessageContaining("UnknownObject");
    }

    @Test
    void aTransactionDescribesTheRequestedJobAndThoseThatItEntails() throws Exception {
        stage.service("b", "Type=oneshot", "ExecStart=/bin/sleep 1000");
        stage.serviceWith("a", "Requires=b.service\nAfter=b.service", "ExecStart=/bin/sleep 1000");
        List<Object> started =
                manager().call(MANAGER, "EnqueueUnitJob", "sss", "a.service", "start", "replace");

        assertThat(described(started.subList(0, 5))).isEqualTo("a.service/start");
        assertThat((List<?>) started.get(5))
                .extracting(job -> described(((Struct) job).members()))
                .containsExactly("b.service/start");
        List<Object> verified =
                peer.object("/org/freedesktop/systemd1/unit/b_2eservice")
                        .call(
                                "org.freedesktop.systemd1.Unit",
                                "EnqueueJob",
                                "ss",
                                "verify-active",
                                "replace");
        assertThat(described(verified.subList(0, 5))).as("merged").isEqualTo("b.service/start");
        assertThat(verified.get(5)).isEqualTo(List.of());
        assertThatThrownBy(() ->
                        manager()
                                .call(
                                        MANAGER,
                                        "EnqueueUnitJob",
                                        "sss",
                                        "a.service",
                                        "end",
                                        "replace"))
                .hasMessageContaining("InvalidArgs")
                .hasMessageContaining("Job type end invalid");
    }

    /** Returns a job's unit and type, after checking that its paths belong to it. */
    private static String described(List<?> job) {
        assertThat(((ObjectPath) job.get(1)).path())
                .isEqualTo("/org/freedesktop/systemd1/job/" + job.getFirst());
        String unit = String.valueOf(job.get(2));
        assertThat(((ObjectPath) job.get(3)).path())
                .isEqualTo("/org/freedesktop/systemd1/unit/" + unit.replace(".", "_2e"));
        return unit + "/" + job.get(4);
    }

    @Test
    void onlyTheManagersUserMayOpenTheSocket() throws Exception {
        assertThat(
                        Files.getPosixFilePermissions(
                                stage.runtimeDirectory().resolve("systemd/private")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
    }

    @Test
    void aPeerThatSaysNonsenseIsToldSo() {
        for (String[] words :
                new String[][] {
                    {"StartUnit", "a.service", "nonsense", "InvalidArgs"},
                    {"StartUnit", "no unit", "replace", "InvalidArgs"},
                    {"StopUnit", "a.service", "isolate", "NoSuchUnit"},
                    {"StartUnit", "a.service", "lenient", "NotSupported"},
                    {"StartUnit", "nosuch.service", "replace", "NoSuchUnit"},
                    {"ReloadUnit", "nosuch.service", "replace", "NoSuchUnit"},
                }) {
            assertThatThrownBy(() -> job(words[0], words[1], words[2]))
                    .as(String.join(" ", words))
                    .hasMessageContaining(words[3]);
        }
        assertThatThrownBy(() -> manager().call(MANAGER, "RefUnit", "s", "a.service"))
                .hasMessageContaining("NotSupported");
        assertThatThrownBy(() -> manager().call(MANAGER, "KillUnit", "ssi", "a.service", "all", 65))
                .hasMessageContaining("InvalidArgs");
        assertThatThrownBy(
                        () -> manager().call(MANAGER, "KillUnit", "ssi", "a.service", "others", 15))
                .hasMessageContaining("InvalidArgs");
    }
}
