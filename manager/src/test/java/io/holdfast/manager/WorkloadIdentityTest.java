package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.VarlinkClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The unit of a process, found by descriptor: over Varlink and over D-Bus. */
@Timeout(120)
class WorkloadIdentityTest {
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";
    private static final String PATH = "/org/freedesktop/systemd1";
    private static final int RECYCLINGS = 50;
    private static final int USER = 20001;

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private ManagerInterface varlinkFace;
    private VarlinkClient varlink;
    private BusConnection peer;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        varlinkFace = ManagerInterface.serve(stage.manager(), stage.runtimeDirectory());
        varlink =
                VarlinkClient.connect(
                        "unix:" + stage.runtimeDirectory().resolve(ManagerInterface.SOCKET));
        peer =
                BusConnection.withPeer(
                        UnixSocket.connect(
                                UnixAddress.path(
                                        stage.runtimeDirectory().resolve("systemd/private")),
                                SocketType.STREAM),
                        ConnectionOptions.standard());
        stage.service("a", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws Exception {
        peer.close();
        varlink.close();
        varlinkFace.close();
        face.close();
        stage.close();
    }

    private List<Object> byPidFd(Fd descriptor) throws InterruptedException {
        return peer.object(PATH).call(MANAGER, "GetUnitByPIDFD", "h", descriptor);
    }

    private List<Object> byPid(int pid) throws InterruptedException {
        return peer.object(PATH).call(MANAGER, "GetUnitByPID", "u", pid);
    }

    private Map<?, ?> whoIs(Fd descriptor) throws InterruptedException {
        return (Map<?, ?>)
                peer.object(PATH).call("io.holdfast.Manager1", "WhoIs", "h", descriptor).getFirst();
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void aPidfdTellsAllThatTheManagerKnows() throws Exception {
        stage.start("a");
        UnitStatus status = stage.status("a");
        try (PidFd main = stage.hold("a")) {
            WorkloadIdentity who = WorkloadIdentity.query(varlink, main.fd());
            assertThat(who.unit()).contains(UnitName.of("a.service"));
            assertThat(who.invocationId()).contains(status.invocationId());
            assertThat(who.slice()).contains("system.slice");
            assertThat(who.process()).isEqualTo(main.processId());
            assertThat(who.uid()).hasValue(main.info().credentials().orElseThrow().effectiveUid());
            status.cgroup().ifPresent(path -> assertThat(who.cgroup()).contains(path));

            List<Object> unit = byPidFd(main.fd());
            assertThat(unit.get(0)).isEqualTo(new ObjectPath(PATH + "/unit/a_2eservice"));
            assertThat(unit.get(1)).isEqualTo("a.service");
            assertThat((byte[]) unit.get(2))
                    .isEqualTo(java.util.HexFormat.of().parseHex(status.invocationId()));
            assertThat(whoIs(main.fd()).get("unit")).isEqualTo(Variant.of("a.service"));
            assertThat(whoIs(main.fd()).get("pidfd-id")).isEqualTo(Variant.of("t", main.id()));
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true)
    void aProcessInACgroupBelowIsOfTheUnitToo() throws Exception {
        String script =
                stage.shell(
                        "nested",
                        """
                        own=%s$(sed -n 's/^0:://p' /proc/self/cgroup)
                        mkdir "$own/inner"
                        sleep 1000 &
                        echo $! > "$own/inner/cgroup.procs"
                        echo "child $!"
                        wait
                        """
                                .formatted(Cgroup.mountPoint()));
        stage.service("nested", "ExecStart=" + script);
        stage.start("nested");
        String line = stage.happenings().await("nested.service | child ");
        int child = Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
        try (PidFd inner = PidFd.open(child)) {
            WorkloadIdentity who = WorkloadIdentity.query(varlink, inner.fd());
            assertThat(who.unit()).contains(UnitName.of("nested.service"));
            assertThat(who.cgroup().orElseThrow()).endsWith("/nested.service/inner");
            assertThat(byPidFd(inner.fd()).get(1)).isEqualTo("nested.service");
        }
    }

    @Test
    @Needs(root = true, cgroup2 = true, features = Feature.PIDFS)
    void aProcessOfALoginSessionIsToldWithItsSessionAndItsUser() throws Exception {
        String name = "holdfast-session-" + ProcessHandle.current().pid() + ".slice";
        try (Cgroup root = Cgroup.root();
                Cgroup slice = root.create(name)) {
            try (Cgroup scope = slice.create("session-c77.scope");
                    ForeignParent parent = ForeignParent.start();
                    PidFd login = parent.held("login", "uid=20001")) {
                scope.attach(login);
                WorkloadIdentity who = WorkloadIdentity.query(varlink, login.fd());
                assertThat(who.session()).contains("c77");
                assertThat(who.slice()).contains(name);
                assertThat(who.uid()).hasValue(20001);
                assertThat(who.gid()).isPresent();
                assertThat(who.unit()).as("of ours").isEmpty();
                assertThat(who.invocationId()).isEmpty();
                assertThat(whoIs(login.fd()).get("session")).isEqualTo(Variant.of("c77"));
                assertThat(whoIs(login.fd()).get("uid")).isEqualTo(Variant.of("u", 20001L));

                stage.start("a");
                try (PidFd main = stage.hold("a")) {
                    assertThat(WorkloadIdentity.query(varlink, main.fd()).session())
                            .as("a service is in none")
                            .isEmpty();
                    assertThat(whoIs(main.fd()).get("session")).isNull();
                }
            } finally {
                slice.removeAll();
            }
        }
    }

    /**
     * A user who owns a slice makes cgroups in it with the names of other users' units and
     * sessions.
     */
    @Test
    @Needs(root = true, cgroup2 = true)
    void namesThatAUserGaveToHisCgroupsAreNotBelieved() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.createSlice();
                ForeignParent parent = ForeignParent.start();
                PidFd process = parent.held("theirs", "uid=" + USER)) {
            for (String theirs : List.of("a.service", "session-c77.scope", "x-y.slice/a.service")) {
                scratch.placeAsUser(USER, theirs, process);
                WorkloadIdentity who = WorkloadIdentity.query(varlink, process.fd());
                assertThat(who.cgroup().orElseThrow()).endsWith("/x.slice/" + theirs);
                assertThat(who.unit()).as(theirs).isEmpty();
                assertThat(who.session()).as(theirs).isEmpty();
                assertThat(who.slice()).as(theirs).isEmpty();
                assertThat(whoIs(process.fd()).keySet().stream().map(Object::toString).toList())
                        .contains("cgroup")
                        .doesNotContain("unit", "slice", "session", "invocation-id");
                assertThatThrownBy(() -> byPidFd(process.fd()))
                        .hasMessageContaining("NoUnitForPID");
                assertThatThrownBy(() -> byPid(process.pid())).hasMessageContaining("NoUnitForPID");
            }
        }
    }

    @Test
    @Needs(features = {Feature.PIDFS, Feature.PEER_PIDFD})
    void aConnectedSocketMeansItsPeer() throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("listener"));
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM);
                UnixSocket accepted = listener.accept();
                PidFd self = PidFd.self()) {
            assertThat(WorkloadIdentity.query(varlink, accepted.fd()).process())
                    .isEqualTo(self.processId());
            assertThat(whoIs(client.fd()).get("pidfd-id")).isEqualTo(Variant.of("t", self.id()));
            assertThat(whoIs(client.fd()).get("unit")).isNull();
            assertThatThrownBy(() -> byPidFd(client.fd()))
                    .as("systemd's method takes pidfds alone")
                    .hasMessageContaining("InvalidArgs");
        }
    }

    @Test
    void whatIsNoProcessIsRefused() throws Exception {
        try (Fd nothing = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
            assertThatThrownBy(() -> WorkloadIdentity.query(varlink, nothing))
                    .isInstanceOf(VarlinkException.class)
                    .hasMessageContaining("InvalidParameter");
            assertThatThrownBy(() -> whoIs(nothing)).hasMessageContaining("InvalidArgs");
        }
    }

    @Test
    void whoIsGoneIsNobody() throws Exception {
        try (Child child = Spawn.of("true").start()) {
            var _ = child.await();
            assertThatThrownBy(() -> byPidFd(child.pidFd().fd()))
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e ->
                                    assertThat(e.name())
                                            .isEqualTo("org.freedesktop.systemd1.NoSuchProcess"));
            assertThatThrownBy(() -> WorkloadIdentity.query(varlink, child.pidFd().fd()))
                    .hasMessageContaining("NoSuchProcess");
        }
        try (PidFd self = PidFd.self()) {
            assertThatThrownBy(() -> byPidFd(self.fd())).hasMessageContaining("NoUnitForPID");
        }
    }

    @Needs(features = Feature.PEER_PIDFD)
    @Test
    void aNumberIsHeldByPidfdAtOnce() throws Exception {
        stage.start("a");
        assertThat(byPid(stage.main("a").pid()))
                .containsExactly(new ObjectPath(PATH + "/unit/a_2eservice"));
        assertThatThrownBy(() -> byPid(0)).as("us").hasMessageContaining("NoUnitForPID");
        assertThatThrownBy(() -> byPid(Integer.MAX_VALUE)).hasMessageContaining("NoSuchProcess");
    }

    /**
     * The PID of a service's process is reused by another process: the pidfd never refers to that
     * process.
     */
    @Test
    @Needs(root = true)
    void aRecycledNumberFoolsNobodyWhoHasAPidfd() throws Exception {
        stage.service("quick", "ExecStart=/bin/sleep 1000", "SuccessExitStatus=KILL");
        try (ForeignParent parent = ForeignParent.start()) {
            int recycled = 0;
            for (int i = 0; i < RECYCLINGS; i++) {
                int number = parent.child("victim");
                try (PidFd victim = PidFd.open(number)) {
                    assertThatThrownBy(() -> byPidFd(victim.fd()))
                            .hasMessageContaining("NoUnitForPID");
                    if (!parent.recycle(number, "successor")) {
                        continue; // another process was faster
                    }
                    recycled++;
                    assertThatThrownBy(() -> byPidFd(victim.fd()))
                            .as("its number is another's")
                            .hasMessageContaining("NoSuchProcess");
                    assertThat(parent.kill(number, Signal.KILL)).isTrue();
                    var _ = parent.reap(number);
                }
            }
            assertThat(recycled).isPositive();
        }
    }
}
