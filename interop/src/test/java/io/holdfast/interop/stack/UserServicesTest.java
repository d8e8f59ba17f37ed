package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** Plain D-Bus services with a user: no unit, and a bus that cannot change users. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "systemctl", "busctl", "dbus-test-tool"})
class UserServicesTest {
    private static final String NAME = "org.example.Echo";
    private static final String UNIT = "dbus-org.example.Echo.service";

    private StackStage stage;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        service(NAME, "dbus-test-tool echo --system --name=" + NAME, "nobody");
        service("org.example.Fails", "false", "nobody");
        service("org.example.Nobodys", "dbus-test-tool echo --system", "no-such-user");
        stage.write(
                "/etc/dbus-1/system.d/org.example.conf",
                """
                <busconfig>
                  <policy user="nobody"><allow own_prefix="org.example"/></policy>
                  <policy context="default"><allow send_destination_prefix="org.example"/></policy>
                </busconfig>
                """);
        RunningProgram _ = stage.ready();
    }

    private void service(String name, String command, String user) throws Exception {
        stage.write(
                "/run/dbus-1/system-services/" + name + ".service",
                "[D-BUS Service]\nName=%s\nExec=/usr/bin/%s\nUser=%s\n"
                        .formatted(name, command, user));
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private RunningProgram call(String name) {
        return stage.start(
                StackStage.asUser("busctl", "--timeout=60", "call", name, "/", "a.b", "Echo"));
    }

    @Test
    void aServiceWithAUserIsStartedInACgroupOfItsOwn() throws Exception {
        try (RunningProgram called = call(NAME)) {
            assertThat(called.end()).as(called::written).isEqualTo(new Exit.Exited(0));
        }
        try (PidFd process = stage.mainProcess(UNIT)) {
            assertThat(Files.getOwner(Path.of("/proc/" + process.pid())).getName())
                    .isEqualTo("nobody");
        }
        assertThat(stage.userctl("show", "--property=FragmentPath,ActiveState", UNIT))
                .contains("ActiveState=active", "system-services/org.example.Echo.service");

        assertThat(stage.userctl("stop", UNIT)).isEmpty();
        try (RunningProgram called = call(NAME)) {
            assertThat(called.end()).as("started again").isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void aServiceThatCannotBeStartedIsAnErrorOfItsCallers() throws Exception {
        for (String name : new String[] {"org.example.Fails", "org.example.Nobodys"}) {
            try (RunningProgram called = call(name)) {
                assertThat(called.end()).as(called::written).isEqualTo(new Exit.Exited(1));
                assertThat(called.written()).contains("dbus-" + name + ".service");
            }
        }
    }
}
