package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.LoadPath;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code systemctl set-property} and {@code revert}, as the real systemctl(1) calls them. */
@Timeout(120)
@Needs(programs = {"systemctl", "systemd-run"})
class SetPropertyTest {
    @TempDir private Path folder;
    private Path persistent;
    private Path runtime;
    private Stage stage;
    private Systemd1 face;
    private Systemctl systemctl;

    @BeforeEach
    void open() throws Exception {
        persistent = folder.resolve("config/systemd/user.control");
        runtime = folder.resolve("runtime/systemd/user.control");
        Map<String, String> environment =
                Map.of(
                        "HOME",
                        folder.toString(),
                        "XDG_CONFIG_HOME",
                        folder.resolve("config").toString(),
                        "XDG_RUNTIME_DIR",
                        folder.resolve("runtime").toString());
        stage =
                Stage.with(
                        folder,
                        options ->
                                options.withScope(ManagerScope.user(environment))
                                        .withLoadPath(new LoadPath(List.of(persistent, runtime))));
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        systemctl = Systemctl.of(stage);
        stage.serviceWith("a", "Description=Old", "ExecStart=/bin/sleep 1000");
        stage.start("a");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private String description(String unit) throws Exception {
        return systemctl.expect(0, "show", "--value", "-p", "Description", unit).strip();
    }

    /** As systemctl(1) does where systemd has booted the machine; elsewhere it uses no manager. */
    private void revert(String unit) throws Exception {
        try (Bus bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive())) {
            String address = bus.addresses().getFirst().toString();
            var _ = face.connect(address);
            try (BusConnection client = BusConnection.connect(address)) {
                List<?> _ =
                        client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
                                .call(
                                        "org.freedesktop.systemd1.Manager",
                                        "RevertUnitFiles",
                                        "as",
                                        List.of(unit));
            }
        }
    }

    @Test
    void aPropertyOfAUnitThatRunsIsChangedAndStays() throws Exception {
        String _ = systemctl.expect(0, "set-property", "a", "Description=New 100%");
        assertThat(description("a")).isEqualTo("New 100%");
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(persistent.resolve("a.service.d/50-Description.conf"))
                .content()
                .isEqualTo(
                        """
                        # This is a drop-in unit file extension, created via "systemctl set-property"
                        # or an equivalent operation. Do not edit.
                        [Unit]
                        Description=New 100%%
                        """);
        assertThat(systemctl.expect(0, "show", "-p", "DropInPaths,NeedDaemonReload", "a"))
                .contains("50-Description.conf", "NeedDaemonReload=no");
        String _ = systemctl.expect(0, "daemon-reload");
        assertThat(description("a")).isEqualTo("New 100%");
    }

    @Test
    void aPropertyOfThisBootIsRemovedByRevert() throws Exception {
        String _ = systemctl.expect(0, "set-property", "--runtime", "a", "Description=New");
        Path file = runtime.resolve("a.service.d/50-Description.conf");
        assertThat(file).content().endsWith("[Unit]\nDescription=New\n");
        assertThat(persistent).doesNotExist();
        assertThat(description("a")).isEqualTo("New");
        revert("a.service");
        assertThat(file).doesNotExist();
        String _ = systemctl.expect(0, "daemon-reload");
        assertThat(description("a")).isEqualTo("Old");
    }

    @Test
    void aUnitThatIsNotLoadedIsChangedForItsNextStart() throws Exception {
        stage.service("later", "Type=oneshot", "ExecStart=/bin/true");
        String _ = systemctl.expect(0, "set-property", "later", "Description=Changed");
        assertThat(description("later")).isEqualTo("Changed");
        Tool missing = systemctl.run("set-property", "missing", "Description=x");
        assertThat(missing.status()).isNotZero();
        assertThat(missing.output()).contains("Unit missing.service not found.");
        assertThat(persistent.resolve("missing.service.d")).doesNotExist();
    }

    @Test
    void whatCannotChangeNowIsRefusedAndNothingIsWritten() throws Exception {
        Tool ran = systemctl.run("set-property", "a", "Description=New", "Environment=A=b");
        assertThat(ran.status()).isNotZero();
        assertThat(ran.output()).contains("Cannot set property Environment, or unknown property.");
        assertThat(persistent).doesNotExist();
        assertThat(description("a")).isEqualTo("Old");
    }

    @Test
    void theDropInsOfAUnitMadeAtRunTimeEndWithIt() throws Exception {
        Tool made =
                Tool.run(
                        systemctl.environment(),
                        "systemd-run",
                        "--user",
                        "--unit=made",
                        "--collect",
                        "/bin/sleep",
                        "1000");
        assertThat(made.status()).as(made.output()).isZero();
        String _ = systemctl.expect(0, "set-property", "made", "Description=New");
        assertThat(description("made.service")).isEqualTo("New");
        Path transients = stage.runtimeDirectory().resolve("transient");
        assertThat(transients.resolve("made.service.d/50-Description.conf")).exists();
        String _ = systemctl.expect(0, "stop", "made");
        Await.until(() -> !Files.exists(transients.resolve("made.service.d")));
        assertThat(persistent).doesNotExist();
    }
}
