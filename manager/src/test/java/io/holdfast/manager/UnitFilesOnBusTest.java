package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The methods that systemctl(1) calls to enable, disable, mask and link unit files. */
@Timeout(120)
class UnitFilesOnBusTest {
    private static final String UNIT = "org.freedesktop.systemd1.Unit";

    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Bus bus;
    private BusConnection client;
    private RemoteObject manager;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.ofUser(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        String address = bus.addresses().getFirst().toString();
        var _ = face.connect(address);
        client = BusConnection.connect(address);
        manager = client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
        stage.unit(
                "a.service",
                "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=up.target\nAlias=b.service\n");
        stage.unit("static.service", "[Service]\nExecStart=/bin/true\n");
        stage.unit("up.target", "[Unit]\nDescription=t\n");
    }

    @AfterEach
    void close() throws Exception {
        client.close();
        bus.close();
        face.close();
        stage.close();
    }

    private List<?> call(String method, String types, Object... arguments) throws Exception {
        return manager.call("org.freedesktop.systemd1.Manager", method, types, arguments);
    }

    private RemoteObject unit(String name) throws Exception {
        Object path = call("LoadUnit", "s", name).getFirst();
        return client.object("org.freedesktop.systemd1", path.toString());
    }

    private Path link(String name) {
        return folder.resolve("config/systemd/user").resolve(name);
    }

    private String state(String unit) throws Exception {
        return (String) call("GetUnitFileState", "s", unit).getFirst();
    }

    @Test
    void enablingRepliesWithTheLinksThatItMade() throws Exception {
        Path file = stage.unitFolder().resolve("a.service");
        List<?> reply = call("EnableUnitFiles", "asbb", List.of("a.service"), false, false);
        assertThat(reply)
                .isEqualTo(
                        List.of(
                                true,
                                List.of(
                                        Struct.of(
                                                "symlink",
                                                link("b.service").toString(),
                                                file.toString()),
                                        Struct.of(
                                                "symlink",
                                                link("up.target.wants/a.service").toString(),
                                                file.toString()))));
        assertThat(Files.readSymbolicLink(link("up.target.wants/a.service"))).isEqualTo(file);
        List<?> none =
                call(
                        "DisableUnitFilesWithFlagsAndInstallInfo",
                        "ast",
                        List.of("static.service"),
                        0L);
        assertThat(none).isEqualTo(List.of(false, List.of()));
        List<?> removed = call("DisableUnitFiles", "asb", List.of("a.service"), false);
        assertThat((List<?>) removed.getFirst()).hasSize(2);
        assertThat(link("up.target.wants")).doesNotExist();
    }

    @Test
    void aMaskedUnitIsRefused() throws Exception {
        var _ = call("MaskUnitFiles", "asbb", List.of("c.service"), true, false);
        Path mask = folder.resolve("runtime/systemd/user/c.service");
        assertThat(Files.readSymbolicLink(mask)).isEqualTo(Path.of("/dev/null"));
        var _ = call("UnmaskUnitFiles", "asb", List.of("c.service"), true);
        assertThat(mask).doesNotExist();
        isRefused("NoSuchUnit", "EnableUnitFiles", "asbb", List.of("nosuch.service"), false, false);
        isRefused("NoSuchUnit", "DisableUnitFiles", "asb", List.of("nosuch.service"), false);
    }

    private void isRefused(String error, String method, String types, Object... arguments) {
        assertThatThrownBy(() -> call(method, types, arguments))
                .isInstanceOfSatisfying(
                        DBusException.class,
                        e -> assertThat(e.name()).isEqualTo("org.freedesktop.systemd1." + error));
    }

    @Test
    void theLinksOfAUnitAreToldBeforeTheyAreRemoved() throws Exception {
        assertThat(call("GetUnitFileLinks", "sb", "a.service", false))
                .isEqualTo(List.of(List.of()));
        var _ = call("EnableUnitFiles", "asbb", List.of("a.service"), false, false);
        List<String> links =
                List.of(link("b.service").toString(), link("up.target.wants/a.service").toString());
        assertThat(call("GetUnitFileLinks", "sb", "a.service", false)).isEqualTo(List.of(links));
        assertThat(link("b.service")).isSymbolicLink();
    }

    @Test
    void aUnitIsPutBackIntoTheStateOfTheInstalledSystem() throws Exception {
        Path folder = Files.createDirectories(link("a.service.d"));
        Path file = Files.writeString(folder.resolve("own.conf"), "[Service]\nNice=1\n");
        List<?> reply = call("RevertUnitFiles", "as", List.of("a.service"));
        assertThat(reply)
                .isEqualTo(
                        List.of(
                                List.of(
                                        Struct.of("unlink", file.toString(), ""),
                                        Struct.of("unlink", folder.toString(), ""))));
        assertThat(folder).doesNotExist();
    }

    @Test
    void aUnitWithoutFileHasNoState() throws Exception {
        assertThat(unit("nofile.slice").get(UNIT, "UnitFileState")).isEqualTo("");
        assertThat(unit("nofile.slice").get(UNIT, "UnitFilePreset")).isEqualTo("");
    }

    @Test
    void presetsApplyToAllUnitFiles() throws Exception {
        Path presets = folder.resolve("config/systemd/user-preset");
        Files.createDirectories(presets);
        Files.writeString(presets.resolve("1.preset"), "enable a.service\ndisable *\n");
        assertThat(unit("static.service").get(UNIT, "UnitFilePreset")).isEqualTo("disabled");
        var _ = call("PresetAllUnitFiles", "sbb", "disable-only", false, false);
        assertThat(link("up.target.wants/a.service")).doesNotExist();
        var _ = call("PresetAllUnitFiles", "sbb", "full", false, false);
        assertThat(link("up.target.wants/a.service")).isSymbolicLink();
    }

    @Test
    void anotherUsersFolderIsNotWrittenTo() throws Exception {
        Path open = Files.createDirectories(folder.resolve("config/systemd/user"));
        Files.setAttribute(open, "unix:mode", 0777);
        assertThatThrownBy(
                        () -> call("EnableUnitFiles", "asbb", List.of("a.service"), false, false))
                .isInstanceOf(DBusException.class)
                .hasMessageContaining("other users may write to it");
        assertThat(open).isEmptyDirectory();
    }

    @Test
    void theDefaultTargetIsWhatItsLinkSays() throws Exception {
        isRefused("NoSuchUnit", "GetDefaultTarget", "");
        var _ = call("SetDefaultTarget", "sb", "up.target", true);
        assertThat(Files.readSymbolicLink(link("default.target")))
                .isEqualTo(stage.unitFolder().resolve("up.target"));
    }

    @Test
    void subscribersReceiveASignalOfEachChange() throws Exception {
        try (var changed = client.subscribe("type='signal',member='UnitFilesChanged'")) {
            var _ = call("Subscribe", "");
            assertThat(state("a.service")).isEqualTo("disabled");
            var _ = call("EnableUnitFilesWithFlags", "ast", List.of("a.service"), 1L);
            changed.take().close();
            var _ = call("DisableUnitFilesWithFlags", "ast", List.of("a.service"), 1L);
            changed.take().close();
        }
    }
}
