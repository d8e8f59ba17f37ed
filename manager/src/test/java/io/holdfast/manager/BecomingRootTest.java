package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SetuidPeer;
import io.holdfast.core.testkit.SetuidPeer.Way;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A peer that becomes root after it has connected gets no more rights than the user who connected
 * (CVE-2011-1485): on every interface of the manager.
 */
@Timeout(120)
@Needs(
        root = true,
        features = Feature.PEER_PIDFD,
        programs = {"perl", "setpriv"})
class BecomingRootTest {
    private static final long USER = 20001;
    private static final String SYSTEMD1 = "org.freedesktop.systemd1";
    private static final String PATH = "/org/freedesktop/systemd1";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private ManagerInterface varlink;
    private Bus bus;
    private BusConnection polkit;

    /** The users that the authority was asked about. */
    private final BlockingQueue<Integer> checkedUsers = new LinkedBlockingQueue<>();

    @BeforeEach
    void open() throws Exception {
        letOthersIn(folder);
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        varlink =
                ManagerInterface.serve(
                        stage.manager(), stage.runtimeDirectory(), face.permission());
        letOthersIn(stage.runtimeDirectory());
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        polkit = BusConnection.connect(bus.addresses().getFirst().toString());
        polkit.export(
                "/org/freedesktop/PolicyKit1/Authority",
                BusInterface.named("org.freedesktop.PolicyKit1.Authority")
                        .method("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", this::check)
                        .build());
        polkit.requestName("org.freedesktop.PolicyKit1");
        var _ = face.connect(bus.addresses().getFirst().toString());
        stage.service("a", "ExecStart=/bin/sleep 1000");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
    }

    /** Allows everything to root and nothing to others. */
    private List<?> check(MethodCall call) {
        Map<?, ?> details = (Map<?, ?>) call.argument(0, Struct.class).get(1);
        Variant uid = (Variant) Objects.requireNonNull(details.get("uid"));
        assertThat(details.get("pidfd")).isNotNull();
        checkedUsers.add((Integer) uid.value());
        return List.of(List.of(uid.value().equals(0), false, Map.of()));
    }

    private static void letOthersIn(Path folder) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void close() throws Exception {
        polkit.close();
        bus.close();
        varlink.close();
        face.close();
        stage.close();
    }

    private SetuidPeer connect(Path socket, Way way) throws Exception {
        return SetuidPeer.connect(folder, socket, USER, way);
    }

    private void assertRefusedAsTheUserWhoConnected() throws Exception {
        assertThat(checkedUsers.take()).isEqualTo((int) USER);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @ParameterizedTest
    @EnumSource
    void overVarlinkItIsTheUserWhoConnected(Way way) throws Exception {
        Path socket = stage.runtimeDirectory().resolve(ManagerInterface.SOCKET);
        try (SetuidPeer peer = connect(socket, way);
                VarlinkClient itself =
                        VarlinkClient.over(peer.connection(), ClientOptions.standard())) {
            peer.becomeRoot();
            JsonObject names = JsonObject.builder().putStrings("names", List.of("a")).build();
            for (String method : List.of("Stop", "Restart", "Reload", "ResetFailed")) {
                assertThatThrownBy(() -> itself.call("io.holdfast.Manager." + method, names))
                        .as(method)
                        .hasMessageContaining("PermissionDenied");
                assertRefusedAsTheUserWhoConnected();
            }
            assertThatThrownBy(() ->
                            itself.call(
                                    "io.holdfast.Manager.Kill",
                                    JsonObject.builder()
                                            .put("name", "a")
                                            .put("signal", "KILL")
                                            .build()))
                    .hasMessageContaining("PermissionDenied");
            assertRefusedAsTheUserWhoConnected();
        }
    }

    @ParameterizedTest
    @EnumSource
    void onTheBusItIsTheUserWhoConnected(Way way) throws Exception {
        try (SetuidPeer peer = connect(folder.resolve("bus"), way);
                BusConnection itself =
                        BusConnection.withPeer(peer.connection(), ConnectionOptions.standard())) {
            var _ = itself.object(BusNames.BUS, BusNames.BUS_PATH).call(BusNames.BUS, "Hello", "");
            peer.becomeRoot();
            for (Object[] words :
                    new Object[][] {
                        {"StopUnit", "ss", "a.service", "replace"},
                        {"RestartUnit", "ss", "a.service", "replace"},
                        {"KillUnit", "ssi", "a.service", "all", 9},
                        {"Reload", ""},
                    }) {
                Object[] arguments = List.of(words).subList(2, words.length).toArray();
                assertThatThrownBy(() ->
                                itself.object(SYSTEMD1, PATH)
                                        .call(
                                                SYSTEMD1 + ".Manager",
                                                (String) words[0],
                                                (String) words[1],
                                                arguments))
                        .as("%s", words[0])
                        .isInstanceOfSatisfying(
                                DBusException.class,
                                e -> assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED));
                assertRefusedAsTheUserWhoConnected();
            }
        }
    }

    /**
     * The mode of the socket keeps other users out; this is the second line of defence if the mode
     * was changed.
     */
    @ParameterizedTest
    @EnumSource
    void onThePrivateSocketItIsTurnedAway(Way way) throws Exception {
        Path socket = stage.runtimeDirectory().resolve("systemd/private");
        letOthersIn(stage.runtimeDirectory().resolve("systemd"));
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-rw-rw-"));
        try (SetuidPeer peer = connect(socket, way)) {
            peer.becomeRoot();
            assertThatThrownBy(() ->
                            BusConnection.withPeer(peer.connection(), ConnectionOptions.standard()))
                    .isInstanceOf(ConnectionLostException.class);
            assertThat(checkedUsers).isEmpty();
        }
    }

    private static final String SENDS =
            """
            use Socket;
            socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die;
            send $s, "READY=1\\nSTATUS=user $> says so", 0, sockaddr_un($ARGV[0]) or die "$!";
            sleep $ARGV[1];
            """;

    /** The sender of a notify message is identified as a process, whatever its user. */
    @Test
    void aStrangerThatBecomesRootNotifiesForNoUnit() throws Exception {
        Path go = stage.fifo("go");
        stage.service(
                "waits",
                "Type=notify",
                "NotifyAccess=all",
                "ExecStart="
                        + stage.python(
                                "waits",
                                "say(os.environ['NOTIFY_SOCKET'])\nopen('%s').read()\n"
                                                .formatted(go)
                                        + "notify('READY=1')\nsignal.pause()\n"));
        var starting = stage.starting("waits");
        String line = stage.happenings().await("waits.service | /");
        String socket = line.substring(line.indexOf("| ") + 2);
        try (Child stranger =
                Spawn.of("setpriv", "--reuid=" + USER, "--regid=" + USER, "--clear-groups")
                        .arguments(List.of(setuidPerl(), sends(), socket, "0"))
                        .start()) {
            assertThat(stranger.await().isSuccess()).isTrue();
        }
        assertThat(stage.happenings().await("belongs to no unit")).isNotEmpty();
        assertThat(starting).isNotDone();
        Files.writeString(go, "go");
        assertThat(Stage.get(starting)).isEqualTo(JobResult.DONE);
        assertThat(stage.status("waits").statusText()).isEmpty();
    }

    @Test
    void aServiceThatBecomesRootStillNotifiesForItsOwnUnit() throws Exception {
        stage.service(
                "rises",
                "Type=notify",
                "User=daemon",
                "ExecStart=" + setuidPerl() + " " + sends() + " ${NOTIFY_SOCKET} 1000");
        assertThat(stage.start("rises")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("rises").statusText()).isEqualTo("user 0 says so");
    }

    private String sends() throws Exception {
        return Files.writeString(folder.resolve("sends.pl"), SENDS).toString();
    }

    private String setuidPerl() throws Exception {
        Path copy = Files.copy(Path.of("/usr/bin/perl"), folder.resolve("perl"));
        Files.setAttribute(copy, "unix:mode", 04755);
        return copy.toString();
    }
}
