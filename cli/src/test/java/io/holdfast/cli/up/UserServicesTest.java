package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Units of D-Bus services that have a user and no unit. */
@Timeout(60)
class UserServicesTest {
    private static final UnitName UNIT = UnitName.of("dbus-org.example.Echo.service");

    @TempDir private Path folder;

    private UnitSource load(String name, String content) throws Exception {
        Path services = Files.createDirectories(folder.resolve("services"));
        Path _ = Files.writeString(services.resolve(name), "[D-BUS Service]\n" + content);
        UserServices made =
                new UserServices(
                        List.of(
                                new ServiceFolder(folder.resolve("missing"), true),
                                new ServiceFolder(services, true)),
                        "unix:path=/run/a%20b");
        Path units = Files.createDirectories(folder.resolve("units"));
        return UnitLoader.scan(new LoadPath(List.of(units)).withGenerator(made)).load(UNIT);
    }

    @Test
    void aServiceWithAUserIsAUnit() throws Exception {
        UnitSource unit =
                load(
                        "org.example.Echo.service",
                        "Name=org.example.Echo\nExec=/bin/echo 'a b' 100% $HOME \"\\\"\"\nUser=nobody\n");

        assertThat(unit.state()).isEqualTo(UnitSource.State.LOADED);
        assertThat(unit.fragment())
                .hasValueSatisfying(
                        file -> assertThat(file).hasFileName("org.example.Echo.service"));
        assertThat(unit.files().stream().map(UnitFile::toText))
                .containsExactly(
                        """
                        [Unit]
                        Description=D-Bus service org.example.Echo
                        CollectMode=inactive-or-failed
                        [Service]
                        Type=dbus
                        BusName=org.example.Echo
                        User=nobody
                        Environment=DBUS_STARTER_BUS_TYPE=system "DBUS_STARTER_ADDRESS=unix:path=/run/a%%20b"
                        ExecStart="/bin/echo" "a b" "100%%" "$$HOME" "\\""
                        """);
    }

    @Test
    void aUnitFileOfTheNameTakesPrecedence() throws Exception {
        Path units = Files.createDirectories(folder.resolve("units"));
        Path own =
                Files.writeString(units.resolve(UNIT.text()), "[Service]\nExecStart=/bin/true\n");
        UnitSource unit =
                load(
                        "org.example.Echo.service",
                        "Name=org.example.Echo\nExec=/bin/x\nUser=nobody\n");

        assertThat(unit.fragment()).hasValue(own);
    }

    @Test
    void noOtherFileIsAUnit() throws Exception {
        for (String content :
                List.of(
                        "Name=org.example.Other\nExec=/bin/x\nUser=nobody\n",
                        "Name=org.example.Echo\nExec=/bin/x\n",
                        "Name=org.example.Echo\nExec=x\nUser=nobody\n",
                        "Name=org.example.Echo\nExec=/bin/x\nUser=root\nSystemdService=x.service\n")) {
            assertThat(load("org.example.Echo.service", content).state())
                    .as(content)
                    .isEqualTo(UnitSource.State.NOT_FOUND);
        }
    }
}
