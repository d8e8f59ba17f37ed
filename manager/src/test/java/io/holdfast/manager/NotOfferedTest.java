package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every verb of systemctl(1) on a bus either works or is refused with one line that says why. */
@Timeout(120)
@Needs(programs = {"systemctl", "systemd-run"})
class NotOfferedTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Bus bus;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        var _ = face.connect(address());
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.service("short", "Type=exec", "ExecStart=/bin/sh -c 'exit 3'");
        stage.start("a");
    }

    @AfterEach
    void close() throws Exception {
        bus.close();
        face.close();
        stage.close();
    }

    private String address() {
        return bus.addresses().getFirst().toString();
    }

    private Systemctl systemctl() {
        return Systemctl.onBus(address());
    }

    private static void isRefusedInOneLine(Tool ran) {
        assertThat(ran.status()).as(ran.output()).isNotZero();
        assertThat(ran.output().strip().lines())
                .as(ran.output())
                .filteredOn(line -> line.contains("not supported by this manager."))
                .singleElement()
                .asString()
                .doesNotContain("Exception", "Unknown method");
        assertThat(ran.output().lines()).hasSizeLessThanOrEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"freeze a", "thaw a", "clean a", "bind a /tmp"})
    void whatIsNotDoneIsToldInOneLine(String words) throws Exception {
        isRefusedInOneLine(systemctl().run(words.split(" ")));
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void theEnvironmentOfUnitsIsChanged() throws Exception {
        stage.service(
                "env", "Type=oneshot", "ExecStart=/bin/sh -c 'echo A=$$A B=$$B PATH=$${PATH-}'");
        String _ = systemctl().expect(0, "set-environment", "A=a b", "B=c");
        assertThat(systemctl().expect(0, "show-environment")).contains("B=c");
        String _ = systemctl().expect(0, "unset-environment", "B");
        String _ = systemctl().expect(0, "daemon-reload");
        assertThat(systemctl().expect(0, "show-environment")).doesNotContain("B=");
        String _ = systemctl().expect(0, "import-environment", "PATH");
        String _ = systemctl().expect(0, "start", "env");
        assertThat(stage.happenings().awaitOutput("env.service", "A=a b B= PATH=")).contains("/");
        Tool refused = systemctl().run("set-environment", "9=x");
        assertThat(refused.status()).isNotZero();
        assertThat(refused.output().strip()).hasLineCount(1).contains("9=x");
    }

    @Test
    void allUnitsAreDescribedForPeople() throws Exception {
        Tool dump =
                Tool.run(
                        systemctl().environment(),
                        "systemd-analyze",
                        "--user",
                        "dump",
                        "--no-pager");
        assertThat(dump.output()).contains("-> Unit a.service:\n").contains("active (running)");
    }

    @Test
    void theDescriptorsOfAServiceThatRunsAreNotReleased() throws Exception {
        Tool ran = systemctl().run("clean", "--what=fdstore", "a");
        assertThat(ran.status()).isNotZero();
        assertThat(ran.output()).contains("Unit is not inactive or has pending job.");
    }

    @Test
    void nobodyWouldStartTheNextManagerWithoutAKeeper() throws Exception {
        Tool ran = systemctl().run("daemon-reexec");
        assertThat(ran.status()).isNotZero();
        assertThat(ran.output().strip().lines())
                .singleElement()
                .asString()
                .contains("no keeper: re-execution needs one");
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @ParameterizedTest
    @ValueSource(strings = {"Reboot", "PowerOff", "Halt"})
    void whatIsNoContainerIsNotEnded(String method) throws Exception {
        try (BusConnection client = BusConnection.connect(address())) {
            RemoteObject manager =
                    client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
            assertThatThrownBy(() -> manager.call("org.freedesktop.systemd1.Manager", method, ""))
                    .isInstanceOfSatisfying(
                            DBusException.class,
                            e -> assertThat(e.name()).isEqualTo(DBusException.NOT_SUPPORTED))
                    .hasMessageContaining("is not PID 1 of a container");
        }
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    /** If systemd did not boot the machine, systemctl changes the files itself. */
    @Test
    void neitherUnitFilesNorTheMachineAreChanged() throws Exception {
        try (BusConnection client = BusConnection.connect(address())) {
            RemoteObject manager =
                    client.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1");
            for (Object[] words :
                    new Object[][] {
                        {"FreezeUnit", "s", "a.service"},
                        {"KExec", ""},
                        {"SoftReboot", "s", ""},
                    }) {
                Object[] arguments = Arrays.copyOfRange(words, 2, words.length);
                assertThatThrownBy(() ->
                                manager.call(
                                        "org.freedesktop.systemd1.Manager",
                                        (String) words[0],
                                        (String) words[1],
                                        arguments))
                        .as("%s", words[0])
                        .isInstanceOfSatisfying(
                                DBusException.class,
                                e -> assertThat(e.name()).isEqualTo(DBusException.NOT_SUPPORTED))
                        .hasMessageMatching(
                                words.length == 3 && !words[2].equals("")
                                        ? ".* is not supported by this manager\\."
                                        : ".* is not supported by this manager: .*; use systemctl"
                                                + " reboot for the container, .*\\.");
            }
        }
    }

    @Test
    void nothingIsStoppedForARestartOfTheMachineThatWouldNotFollow() throws Exception {
        Path _ =
                Files.writeString(
                        stage.unitFolder().resolve("soft-reboot.target"),
                        "[Unit]\nConflicts=a.service\nAllowIsolate=yes\n");
        for (String verb : List.of("start", "isolate")) {
            Tool ran = systemctl().run(verb, "soft-reboot.target");
            assertThat(ran.status()).isNotZero();
            assertThat(ran.output()).contains("is not supported by this manager: ");
        }
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void aStartCanBeWaitedForUntilTheServiceHasEnded() throws Exception {
        String _ = systemctl().expect(1, "start", "--wait", "short");
        assertThat(stage.state("short")).isEqualTo("failed/failed exit-code");
        assertThat(systemctl().expect(0, "is-failed", "short")).contains("failed");
        String _ = systemctl().expect(0, "reset-failed", "short");
        String _ = systemctl().expect(1, "is-failed", "short");
    }

    @Test
    void whoamiTellsTheUnitOfTheCaller() throws Exception {
        List<String> command = new ArrayList<>(List.of("systemctl", "--user", "whoami"));
        stage.service(
                "self",
                "Type=oneshot",
                "Environment=DBUS_SESSION_BUS_ADDRESS=" + address() + " SYSTEMCTL_FORCE_BUS=1",
                "ExecStart=/usr/bin/" + String.join(" ", command));
        assertThat(stage.start("self")).isEqualTo(JobResult.DONE);
        stage.happenings().await("self.service");
        assertThat(stage.status("self").log()).anyMatch(line -> line.contains("self.service"));
        String said = systemctl().expect(1, "whoami");
        assertThat(said.strip().lines()).as(said).hasSize(1);
        assertThat(said).contains("does not belong to any loaded unit");
    }
}
