package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.core.Feature;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.core.testkit.SetuidPeer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The effect of a client's cgroup, in policies and in the log. */
@Timeout(120)
@Needs(
        root = true,
        cgroup2 = true,
        features = Feature.PEER_PIDFD,
        programs = {"perl", "setpriv"})
class CgroupPolicyTest {
    private static final int USER = 20001;

    @TempDir private Path folder;
    private ScratchCgroup scratch;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        scratch = ScratchCgroup.createSlice();
    }

    @AfterEach
    void close() {
        scratch.close();
    }

    private SetuidPeer connect(TestBus bus) throws Exception {
        bus.letOthersIn();
        Path socket = Path.of(bus.address().replaceAll(".*path=|,.*", ""));
        return SetuidPeer.connect(folder, socket, USER, SetuidPeer.Way.EFFECTIVE);
    }

    private String policy(String cgroup) {
        return """
        <policy context="default"><allow user="*"/><allow send_destination="*"/>
        <allow receive_sender="*"/></policy>
        <policy cgroup="%s/%s"><allow own="a.b"/></policy>
        """
                .formatted(scratch.cgroup().path(), cgroup);
    }

    private static String own(SetuidPeer peer) throws InterruptedException {
        try (TestClient client = TestClient.of(peer.connection())) {
            return client.authenticate(true).hello().tryBus(BUS, "RequestName", "a.b", 0);
        }
    }

    @Test
    void aPolicyIsForTheProcessesOfACgroupThatRootNamed() throws Exception {
        String config = policy("system.slice/a.service");
        try (TestBus bus = TestBus.configured(Kind.HOLDFAST, config);
                SetuidPeer inside = connect(bus);
                SetuidPeer below = connect(bus);
                SetuidPeer outside = connect(bus)) {
            scratch.place("system.slice/a.service", inside.process());
            scratch.place("system.slice/a.service/below", below.process());
            scratch.place("system.slice/b.service", outside.process());
            assertThat(own(inside)).startsWith("return");
            assertThat(own(below)).startsWith("return");
            assertThat(own(outside)).isEqualTo("AccessDenied");
        }
    }

    @Test
    void aPolicyIsForNobodyWhoNamedTheCgroupHimself() throws Exception {
        try (TestBus bus = TestBus.configured(Kind.HOLDFAST, policy("x.slice/a.service"));
                SetuidPeer peer = connect(bus)) {
            scratch.placeAsUser(USER, "a.service", peer.process());
            assertThat(peer.process().cgroupPath().path()).endsWith("/x.slice/a.service");
            assertThat(own(peer)).isEqualTo("AccessDenied");
        }
    }

    /** Other programs trust the unit names in this log. */
    @Test
    void theLogNamesNoUnitThatAClientNamedItself() throws Exception {
        try (BusLog log = new BusLog();
                TestBus bus = TestBus.ours();
                SetuidPeer peer = connect(bus)) {
            scratch.placeAsUser(USER, "ssh.service", peer.process());
            try (TestClient client = TestClient.of(peer.connection())) {
                client.authenticate(true)
                        .sendBytes("this is no message".getBytes(StandardCharsets.US_ASCII));
                assertThat(log.line())
                        .startsWith("disconnected a client without a name (process ")
                        .contains(Integer.toString(peer.process().pid()))
                        .doesNotContain("ssh.service")
                        .contains(": malformed message: ");
            }
        }
    }
}
