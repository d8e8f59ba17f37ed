package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A system bus with one more configuration file, for services that run as users that the files of
 * the distribution do not expect, or that have no such file.
 */
@Timeout(60)
class IncludedPolicyTest {
    private static final long DAEMON = 61_234; // neither id has an account
    private static final long GROUP = 61_235;

    private static final String FILE =
            """
            <busconfig>
              <policy user="61234">
                <allow own="org.example.Authority"/>
              </policy>
              <policy group="61235">
                <allow own="org.example.Grouped"/>
              </policy>
              <policy context="default">
                <allow send_destination="org.example.Authority"/>
              </policy>
              <policy user="nobody-of-that-name">
                <allow own="org.example.Other"/>
              </policy>
            </busconfig>
            """;

    @TempDir private Path folder;

    private Bus open(String more) throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path file = Files.writeString(folder.resolve("more.conf"), more);
        return Bus.open(
                BusOptions.of(
                        () -> BusConfig.system().including(file),
                        BusAddress.parse("unix:path=" + folder.resolve("bus"))));
    }

    private static void denied(ThrowingCallable call) {
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.ACCESS_DENIED));
    }

    @Test
    @Needs(root = true)
    void aUserThatIsOnlyANumberOwnsItsNameAndNobodyElseDoes() throws Exception {
        try (Bus bus = open(FILE)) {
            String address = bus.addresses().getFirst().toString();
            AsUser.of(
                    DAEMON,
                    () -> {
                        try (BusConnection daemon = BusConnection.connect(address)) {
                            daemon.requestName("org.example.Authority");
                            denied(() -> daemon.requestName("org.example.Grouped"));
                            denied(() -> daemon.requestName("org.example.Other"));
                            assertThat(daemon.owner("org.example.Authority"))
                                    .isEqualTo(Optional.of(daemon.uniqueName()));
                        }
                    });
            AsUser.of(
                    GROUP,
                    () -> {
                        try (BusConnection grouped = BusConnection.connect(address)) {
                            grouped.requestName("org.example.Grouped");
                            denied(() -> grouped.requestName("org.example.Authority"));
                            assertThatExceptionOfType(DBusException.class)
                                    .as("it may call it, though it is not there")
                                    .isThrownBy(() ->
                                            grouped.object("org.example.Authority", "/")
                                                    .call("a.b", "M"))
                                    .satisfies(e ->
                                            assertThat(e.name())
                                                    .isEqualTo(DBusException.SERVICE_UNKNOWN));
                            denied(() ->
                                    grouped.object("org.example.Grouped", "/").call("a.b", "M"));
                        }
                    });
        }
    }

    @Test
    @Needs(root = true)
    void whatIsIncludedIsReadAgainWithTheRest() throws Exception {
        try (Bus bus = open("<busconfig/>")) {
            String address = bus.addresses().getFirst().toString();
            AtomicReference<BusConnection> connected = new AtomicReference<>();
            AsUser.of(DAEMON, () -> connected.set(BusConnection.connect(address)));
            try (BusConnection daemon = connected.get()) {
                denied(() -> daemon.requestName("org.example.Authority"));
                Files.writeString(folder.resolve("more.conf"), FILE);
                assertThat(bus.reload().join()).isEmpty();
                daemon.requestName("org.example.Authority");

                Files.delete(folder.resolve("more.conf"));
                assertThat(bus.reload().join().orElseThrow()).contains("no such file");
                assertThat(daemon.releaseName("org.example.Authority")).isTrue();
                daemon.requestName("org.example.Authority");
            }
        }
    }

    @Test
    void theFileCountsAfterAllOthersAndKeepsWhatItDoesNotSay() throws Exception {
        Path file = Files.writeString(folder.resolve("more.conf"), FILE);
        BusConfig before = BusConfig.system();
        BusConfig after = before.including(file);
        assertThat(after.type()).isEqualTo("system");
        assertThat(after.listen()).isEqualTo(before.listen());
        assertThat(after.limits()).isEqualTo(before.limits());
        assertThat(after.serviceFolders()).isEqualTo(before.serviceFolders());
        assertThat(after.policies().subList(0, before.policies().size()))
                .isEqualTo(before.policies());
        assertThat(after.policies()).hasSize(before.policies().size() + 4);
        assertThat(after.files()).last().isEqualTo(file);
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> before.including(folder.resolve("none")))
                .withMessageContaining("none");
    }
}
