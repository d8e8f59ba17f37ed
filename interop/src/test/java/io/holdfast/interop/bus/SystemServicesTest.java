package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.ObjectPath;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Services of the distribution, on a system bus under the policy files that they ship, called by
 * the tools that come with them. Each runs in its own namespaces: the machine keeps its name, its
 * network does not change, and {@code /run} is empty except for the files by which the tools
 * recognize systemd.
 */
@ParameterizedClass(name = "{0}")
@EnumSource
@Timeout(180)
@Needs(
        root = true,
        programs = {
            "busctl",
            "hostnamectl",
            "avahi-daemon",
            "avahi-browse",
            "dbus-daemon",
            "unshare",
            "ip"
        })
class SystemServicesTest {
    private static final String PRIVATE =
            "ip link set lo up && mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec \"$@\"";

    /** The bus that serves. */
    enum SystemBus {
        HOLDFAST,
        DBUS_DAEMON
    }

    @Parameter SystemBus kind = SystemBus.HOLDFAST;
    @TempDir private Path folder;
    private @Nullable HoldfastBus bus;
    private @Nullable Programs programs;
    private @Nullable BusConnection connection;

    @BeforeEach
    void start() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        String address = "unix:path=" + folder.resolve("system_bus_socket");
        if (kind == SystemBus.HOLDFAST) {
            HoldfastBus ours = HoldfastBus.start(folder, "--system");
            bus = ours;
            address = ours.address();
        }
        Programs started = new Programs(address);
        programs = started;
        assumeTrue(
                started.run("unshare", "--mount", "--uts", "--net", "true")
                        .exit()
                        .equals(new Exit.Exited(0)),
                "needs the right to make namespaces");
        if (kind == SystemBus.DBUS_DAEMON) {
            Programs.Running daemon =
                    started.start(
                            "dbus-daemon",
                            "--system",
                            "--nofork",
                            "--nopidfile",
                            "--nosyslog",
                            "--print-address",
                            "--address=" + address);
            assertThat(daemon.lineWith("unix:path=")).startsWith(address);
        }
        connection = BusConnection.connect(address);
    }

    @AfterEach
    void stop() throws Exception {
        if (connection != null) {
            connection.close();
        }
        if (programs != null) {
            programs.close();
        }
        if (bus != null) {
            bus.close();
        }
    }

    private Programs programs() {
        return Objects.requireNonNull(programs);
    }

    private BusConnection connection() {
        return Objects.requireNonNull(connection);
    }

    private static String[] inPrivate(String... command) {
        return Stream.concat(
                        Stream.of(
                                "unshare", "--mount", "--uts", "--net", "sh", "-c", PRIVATE, "sh"),
                        Stream.of(command))
                .toArray(String[]::new);
    }

    /** Starts a service, and waits until it owns its name. */
    private void service(String name, String... command) throws InterruptedException {
        Programs.Running running = programs().start(inPrivate(command));
        String rule = "type='signal',member='NameOwnerChanged',arg0='" + name + "'";
        try (Subscription changes = connection().subscribe(rule)) {
            Optional<String> owner = connection().owner(name);
            while (owner.isEmpty()) {
                assertThat(running.isAlive()).as(() -> String.valueOf(running.seen())).isTrue();
                changes.take().close();
                owner = connection().owner(name);
            }
        }
    }

    private String tool(String... command) throws InterruptedException {
        return programs().output(inPrivate(command));
    }

    @Test
    void hostnamedAnswersHostnamectl() throws Exception {
        service("org.freedesktop.hostname1", "/usr/lib/systemd/systemd-hostnamed");
        String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();

        assertThat(tool("hostnamectl", "--json=short", "status"))
                .contains("\"Hostname\":\"" + name + "\"", "\"KernelName\":\"Linux\"");
        assertThat(tool("hostnamectl", "--transient", "hostname")).isEqualTo(name);
        assertThat(
                        connection()
                                .object("org.freedesktop.hostname1", "/org/freedesktop/hostname1")
                                .get("org.freedesktop.hostname1", "Hostname"))
                .isEqualTo(name);
    }

    @Test
    void hostnamedChangesTheNameOfItsNamespaceAndSignalsIt() throws Exception {
        Path kernel = Path.of("/proc/sys/kernel/hostname");
        String before = Files.readString(kernel);
        service(
                "org.freedesktop.hostname1",
                "sh",
                "-c",
                "cp -a /etc /run/etc && mount --bind /run/etc /etc && exec /usr/lib/systemd/systemd-hostnamed");
        String rule = "type='signal',path='/org/freedesktop/hostname1',member='PropertiesChanged'";
        try (Subscription changes = connection().subscribe(rule)) {
            assertThat(tool("hostnamectl", "hostname", "holdfast-interop")).isEmpty();
            try (var signal = changes.take()) {
                assertThat(signal.values()).first().isEqualTo("org.freedesktop.hostname1");
            }
        }
        assertThat(tool("hostnamectl", "hostname")).isEqualTo("holdfast-interop");
        assertThat(Files.readString(kernel)).isEqualTo(before);
    }

    @Test
    void timedatedAnswersTimedatectl() throws Exception {
        service("org.freedesktop.timedate1", "/usr/lib/systemd/systemd-timedated");

        assertThat(tool("timedatectl", "list-timezones").lines()).contains("Europe/Berlin", "UTC");
        assertThat(
                        programs()
                                .output(
                                        "busctl",
                                        "get-property",
                                        "org.freedesktop.timedate1",
                                        "/org/freedesktop/timedate1",
                                        "org.freedesktop.timedate1",
                                        "Timezone",
                                        "LocalRTC"))
                .matches("s \".+\"\nb (true|false)");
    }

    @Test
    void localedAnswersLocalectl() throws Exception {
        service("org.freedesktop.locale1", "/usr/lib/systemd/systemd-localed");

        assertThat(tool("localectl", "status")).contains("System Locale:", "X11 Layout:");
        assertThat(
                        programs()
                                .output(
                                        "busctl",
                                        "introspect",
                                        "org.freedesktop.locale1",
                                        "/org/freedesktop/locale1"))
                .contains(".SetLocale", ".VConsoleKeymap");
    }

    @Test
    void accountsDaemonTellsUsers() throws Exception {
        Path daemon = Path.of("/usr/libexec/accounts-daemon");
        assumeTrue(Files.isExecutable(daemon), "needs Debian's package accountsservice");
        Path polkitd = Path.of("/usr/lib/polkit-1/polkitd");
        if (Files.isExecutable(
                polkitd)) { // the service needs an authority, and not every bus may start one
            service("org.freedesktop.PolicyKit1", polkitd.toString());
        }
        String name = "org.freedesktop.Accounts";
        service(name, daemon.toString());

        assertThat(
                        connection()
                                .object(name, "/org/freedesktop/Accounts")
                                .call(name, "FindUserById", "x", 0L))
                .containsExactly(new ObjectPath("/org/freedesktop/Accounts/User0"));
        assertThat(
                        programs()
                                .output(
                                        "busctl",
                                        "get-property",
                                        name,
                                        "/org/freedesktop/Accounts/User0",
                                        name + ".User",
                                        "UserName",
                                        "HomeDirectory"))
                .isEqualTo("s \"root\"\ns \"/root\"");
    }

    @Test
    void avahiDropsItsPrivilegesAndFindsWhatIsPublished() throws Exception {
        service(
                "org.freedesktop.Avahi",
                "avahi-daemon",
                "--no-chroot",
                "--no-rlimits",
                "--no-proc-title");
        try (var peer = connection().peer("org.freedesktop.Avahi")) {
            int uid = (Integer) Files.getAttribute(Path.of("/proc/" + peer.pid()), "unix:uid");
            assertThat(peer.uid()).isEqualTo(uid).isNotZero();
        }
        String published = "Holdfast" + ProcessHandle.current().pid();
        Programs.Running publisher =
                programs()
                        .start(
                                "avahi-publish",
                                "-s",
                                published,
                                "_holdfast._tcp",
                                "4711",
                                "key=value");
        assertThat(publisher.lineWith("Established under name")).contains(published);

        assertThat(
                        programs()
                                .output(
                                        "avahi-browse",
                                        "--resolve",
                                        "--parsable",
                                        "--terminate",
                                        "_holdfast._tcp")
                                .lines())
                .anySatisfy(line ->
                        assertThat(line)
                                .startsWith("=;lo;")
                                .contains(";" + published + ";_holdfast._tcp;local;")
                                .endsWith(";4711;\"key=value\""));
    }

    @Test
    void udisksdTellsUdisksctlOfItself() throws Exception {
        Path daemon = Path.of("/usr/libexec/udisks2/udisksd");
        assumeTrue(Files.isExecutable(daemon), "needs Debian's package udisks2");
        String name = "org.freedesktop.UDisks2";
        service(name, daemon.toString(), "--no-debug");

        assertThat(tool("udisksctl", "dump"))
                .contains("/org/freedesktop/UDisks2/Manager:", "org.freedesktop.UDisks2.Manager:");
        assertThat(tool("udisksctl", "status")).contains("MODEL", "REVISION");
        assertThat(
                        programs()
                                .output(
                                        "busctl",
                                        "call",
                                        name,
                                        "/org/freedesktop/UDisks2/Manager",
                                        name + ".Manager",
                                        "GetBlockDevices",
                                        "a{sv}",
                                        "0"))
                .startsWith("ao ");
    }

    @Test
    void theirPoliciesHold() throws Exception {
        service("org.freedesktop.hostname1", "/usr/lib/systemd/systemd-hostnamed");
        AsUser.nobody(() -> {
            try (BusConnection nobody = BusConnection.connect(programs().address())) {
                denied(() -> nobody.requestName("org.freedesktop.hostname1"));
                denied(() -> nobody.requestName("org.freedesktop.Avahi"));
                denied(() -> nobody.requestName("org.example.NotInAnyPolicy"));
                assertThat(
                                nobody.object(
                                                "org.freedesktop.hostname1",
                                                "/org/freedesktop/hostname1")
                                        .get("org.freedesktop.hostname1", "KernelName"))
                        .isEqualTo("Linux");
                denied(() ->
                        nobody.object(connection().uniqueName(), "/")
                                .call("org.example.Any", "Method"));
                denied(() ->
                        nobody.bus()
                                .call(
                                        "org.freedesktop.DBus",
                                        "UpdateActivationEnvironment",
                                        "a{ss}",
                                        Map.of("A", "b")));
                denied(() ->
                        nobody.bus()
                                .call(
                                        "org.freedesktop.DBus.Monitoring",
                                        "BecomeMonitor",
                                        "asu",
                                        List.of(),
                                        0));
            }
        });
        connection().requestName("org.freedesktop.Accounts"); // its policy file allows root
        assertThat(connection().releaseName("org.freedesktop.Accounts")).isTrue();
    }

    private static void denied(ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED));
    }
}
