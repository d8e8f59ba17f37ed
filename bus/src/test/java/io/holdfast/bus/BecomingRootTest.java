package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SetuidPeer;
import io.holdfast.core.testkit.SetuidPeer.Way;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A client that becomes root after it has connected stays the user that it was (CVE-2011-1485). */
@Timeout(120)
@Needs(
        root = true,
        programs = {"perl", "setpriv", "dbus-daemon"})
class BecomingRootTest {
    /** User daemon: dbus-daemon admits only users that the user database has. */
    private static final int USER = 1;

    private static final String POLICY =
            """
            <policy context="default"><allow user="*"/><allow send_destination="*"/>
            <allow receive_sender="*"/><deny send_destination="r.r"/></policy>
            <policy user="daemon"><allow own="u.u"/></policy>
            <policy user="root"><allow own="r.r"/><allow send_destination="r.r"/></policy>
            """;

    @TempDir private Path folder;

    @BeforeEach
    void letOthersIn() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private SetuidPeer connect(TestBus bus, Way way) throws Exception {
        bus.letOthersIn();
        Path socket = Path.of(bus.address().replaceAll(".*path=|,.*", ""));
        return SetuidPeer.connect(folder, socket, USER, way);
    }

    @ParameterizedTest
    @CsvSource({
        "HOLDFAST, EFFECTIVE",
        "HOLDFAST, WHOLE",
        "HOLDFAST, SAVED",
        "DBUS_DAEMON, WHOLE",
    })
    void aClientThatBecomesRootMayNoMoreThanBefore(Kind kind, Way way) throws Exception {
        try (TestBus bus = TestBus.configured(kind, POLICY);
                SetuidPeer peer = connect(bus, way);
                TestClient before = TestClient.of(peer.connection());
                TestClient root = bus.connect()) {
            String name = before.authenticate(true).hello().name();
            assertThat(root.query("RequestName", "r.r", 0)).isEqualTo(1L);
            peer.becomeRoot();

            assertThat(before.tryBus(BUS, "RequestName", "u.u", 0)).startsWith("return");
            assertThat(before.tryBus(BUS, "RequestName", "r.r", 0)).isEqualTo("AccessDenied");
            int call = before.send(before.call("r.r", "M"));
            assertThat(before.describe(before.answer(call))).isEqualTo("AccessDenied");
            String monitoring = "org.freedesktop.DBus.Monitoring";
            assertThat(before.tryBus(monitoring, "BecomeMonitor", List.of(), 0))
                    .isEqualTo("AccessDenied");
            assertThat(root.query("GetConnectionUnixUser", name)).isEqualTo((long) USER);
            Map<?, ?> credentials = (Map<?, ?>) root.query("GetConnectionCredentials", name);
            assertThat(credentials.get("UnixUserID")).isEqualTo(Variant.of("u", (long) USER));
        }
    }

    @ParameterizedTest
    @CsvSource({"EFFECTIVE", "WHOLE", "SAVED"})
    @Needs(features = Feature.PEER_PIDFD)
    void aClientThatBecomesRootBeforeItSpeaksIsWhoConnected(Way way) throws Exception {
        try (TestBus bus = TestBus.configured(Kind.HOLDFAST, POLICY);
                SetuidPeer peer = connect(bus, way)) {
            peer.becomeRoot();
            try (TestClient client = TestClient.of(peer.connection())) {
                client.authenticate(true).hello();
                assertThat(client.tryBus(BUS, "RequestName", "r.r", 0)).isEqualTo("AccessDenied");
                assertThat(client.tryBus(BUS, "RequestName", "u.u", 0)).startsWith("return");
            }
        }
    }
}
