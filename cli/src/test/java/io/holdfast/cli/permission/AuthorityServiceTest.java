package io.holdfast.cli.permission;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Program;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the authority as a service of another service manager. */
@Timeout(120)
@Needs(root = true)
class AuthorityServiceTest {
    private static final String NAME = "org.freedesktop.PolicyKit1";
    private static final long USER = 20001;

    @TempDir private Path folder;
    private final List<Child> started = new ArrayList<>();
    private Path policy;
    private Path rules;

    /**
     * Creates folders that contain only symbolic links: changes of their targets are not noticed
     * automatically.
     */
    @BeforeEach
    void layOut() throws IOException {
        policy = folder.resolve("elsewhere/a.policy");
        rules = folder.resolve("elsewhere/a.rules");
        for (String each : List.of("elsewhere", "actions", "rules.d")) {
            Files.createDirectory(folder.resolve(each));
        }
        Files.createSymbolicLink(folder.resolve("actions/a.policy"), policy);
        Files.createSymbolicLink(folder.resolve("rules.d/50.rules"), rules);
        write("ruled", "yes");
    }

    /** Kills the daemons that a failed test has left. */
    @AfterEach
    void end() {
        for (Child each : started) {
            boolean ignored = each.signal(Signal.KILL);
            var _ = each.onExit().join();
            each.close();
        }
    }

    private void write(String action, String answer) throws IOException {
        Files.writeString(
                policy,
                """
                <policyconfig><action id="org.example.%s"><message>Do it?</message>
                <defaults><allow_any>no</allow_any></defaults></action></policyconfig>
                """
                        .formatted(action));
        Files.writeString(rules, "polkit.addRule(function() { return '%s'; });".formatted(answer));
    }

    private String address() {
        return "unix:path=" + folder.resolve("bus");
    }

    private Child start() {
        Child authority =
                Spawn.of(
                                Program.command(
                                        List.of(),
                                        "authority",
                                        "--bus",
                                        address(),
                                        "--actions",
                                        folder.resolve("actions").toString(),
                                        "--rules",
                                        folder.resolve("rules.d").toString()))
                        .environment("NOTIFY_SOCKET", folder.resolve("notify").toString())
                        .stdin(Stdio.devNull())
                        .stderr(Stdio.pipe())
                        .start();
        started.add(authority);
        return authority;
    }

    private static String nextNotification(UnixSocket manager) throws InterruptedException {
        assertThat(Readiness.await(manager.fd(), Readiness.IN, Duration.ofSeconds(60)))
                .as("the authority says something to its manager")
                .isNotEqualTo(Readiness.NONE);
        ByteBuffer text = ByteBuffer.allocate(4096);
        int ignored = manager.receive(text);
        return UTF_8.decode(text.flip()).toString();
    }

    private static boolean isAuthorized(Authority authority, PidFd process, String action) {
        return authority
                .check(process, USER, "org.example." + action, Map.of())
                .join()
                .isAuthorized();
    }

    @Test
    void itIsReadyWithItsNameAndItsFilesAndReadsThemAgainAtSighup() throws Exception {
        try (UnixSocket manager = UnixSocket.bind(UnixAddress.path(folder.resolve("notify")));
                Bus bus = Bus.open(BusAddress.parse(address()), BusConfig.permissive());
                BusConnection client = BusConnection.connect(address());
                Authority overBus = Authority.overBus(BusAddress.parseList(address()));
                ForeignParent parent = ForeignParent.start();
                PidFd process = parent.held("subject", "uid=" + USER)) {
            Child authority = start();
            assertThat(bus.addresses()).hasSize(1);
            assertThat(nextNotification(manager)).isEqualTo("READY=1");
            assertThat(client.owner(NAME)).as("who is ready has its name").isPresent();
            assertThat(isAuthorized(overBus, process, "ruled"))
                    .as("who is ready has read its files")
                    .isTrue();

            write("another", "yes");
            assertThat(isAuthorized(overBus, process, "another")).as("nobody said so").isFalse();
            assertThat(isAuthorized(overBus, process, "ruled")).isTrue();
            reload(authority, manager);
            assertThat(isAuthorized(overBus, process, "another")).as("actions").isTrue();
            assertThat(isAuthorized(overBus, process, "ruled")).isFalse();

            write("another", "no");
            assertThat(isAuthorized(overBus, process, "another")).isTrue();
            reload(authority, manager);
            assertThat(isAuthorized(overBus, process, "another")).as("rules").isFalse();

            assertThat(authority.signal(Signal.TERM)).isTrue();
            assertThat(nextNotification(manager)).isEqualTo("STOPPING=1");
            assertThat(authority.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    private static void reload(Child authority, UnixSocket manager) throws InterruptedException {
        assertThat(authority.signal(Signal.HUP)).isTrue();
        assertThat(nextNotification(manager)).matches("RELOADING=1\nMONOTONIC_USEC=[0-9]+");
        assertThat(nextNotification(manager)).isEqualTo("READY=1");
    }

    @Test
    void whoDoesNotGetTheNameIsNeverReady() throws Exception {
        try (UnixSocket manager = UnixSocket.bind(UnixAddress.path(folder.resolve("notify")));
                Bus bus = Bus.open(BusAddress.parse(address()), BusConfig.permissive());
                BusConnection other = BusConnection.connect(address())) {
            assertThat(bus.addresses()).hasSize(1);
            var _ = other.requestName(NAME);
            Child authority = start();
            String error = new String(authority.stderr().readAllBytes(), UTF_8);
            assertThat(authority.await()).isEqualTo(new Exit.Exited(1));
            assertThat(error).hasLineCount(1).contains(NAME + " is already owned on ");
            assertThat(Readiness.await(manager.fd(), Readiness.IN, Duration.ZERO))
                    .isEqualTo(Readiness.NONE);
        }
    }
}
