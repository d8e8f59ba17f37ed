package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code org.freedesktop.LogControl1}, as systemctl(1) uses it for a service. */
@Timeout(60)
class LogControlTest {
    private static final String INTERFACE = "org.freedesktop.LogControl1";

    @TempDir Path folder;

    @Test
    void theLogOfAnAuthorityIsToldAndNotToBeChanged() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                BusConnection server = BusConnection.connect(address.toString());
                AuthorityEngine engine = AuthorityEngine.open(new PolicyFolders(folder).options());
                PolicyKit1 onBus = PolicyKit1.serve(engine, server, false);
                BusConnection client = BusConnection.connect(address.toString())) {
            assertThat(bus.addresses()).hasSize(1);
            assertThat(onBus.toString()).contains(Authority.BUS_NAME);
            RemoteObject log = client.object(Authority.BUS_NAME, "/org/freedesktop/LogControl1");
            Map<String, Object> all =
                    Map.of(
                            "LogLevel", "info",
                            "LogTarget", "console",
                            "SyslogIdentifier", "polkitd");
            assertThat(log.getAll(INTERFACE)).isEqualTo(all);
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> log.set(INTERFACE, "LogLevel", Variant.of("debug")))
                    .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.NOT_SUPPORTED))
                    .withMessageContaining("where the daemon is started");
            for (String target : List.of("null", "")) { // empty: see polkit, issue 506
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() -> log.set(INTERFACE, "LogTarget", Variant.of(target)));
            }
            assertThat(log.getAll(INTERFACE)).isEqualTo(all);
        }
    }
}
