package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tests a stack whose program is in a home folder, which the sandbox of the authentication helper
 * hides: a user stops a unit of root's manager by a password, on the terminal of the command.
 */
@ParameterizedClass
@ValueSource(strings = {"/root/holdfast", "/home/dev/src/holdfast"})
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "script", "systemctl"})
class HomeCheckoutTest {
    private static final String UNIT = "probe.service";
    private static final String HELPER_DROP_IN =
            "/etc/systemd/system/polkit-agent-helper@.service.d/10-test.conf";

    private final String checkout;
    private StackStage stage;

    HomeCheckoutTest(String checkout) {
        this.checkout = checkout;
    }

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITHOUT);
        String home = checkout.substring(0, checkout.indexOf('/', 1));
        assertThat(stage.output("mount", "-t", "tmpfs", "-o", "mode=0700", "none", home)).isEmpty();
        assertThat(stage.output("mkdir", "-p", checkout)).isEmpty();
        assertThat(stage.output("mount", "--bind", "/run/checkout", checkout)).isEmpty();
        assertThat(stage.output("ln", "-s", StackStage.RUNTIME, "/run/holdfast")).isEmpty();
        stage.write("/etc/systemd/system/" + UNIT, "[Service]\nExecStart=/bin/sleep 1000\n");
        stage.write(
                "/etc/polkit-1/actions/units.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig><action id="org.freedesktop.systemd1.manage-units">
                <message>Manage units</message>
                <defaults><allow_any>auth_self</allow_any></defaults></action></policyconfig>
                """);
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
        }
    }

    private void up() throws Exception {
        RunningProgram up =
                stage.start(
                        List.of(
                                checkout + "/holdfast",
                                "up",
                                "--runtime-dir",
                                StackStage.RUNTIME,
                                "--slice",
                                stage.slice(),
                                "holdfast.target",
                                UNIT));
        up.await("holdfast: ready");
    }

    private String active() throws InterruptedException {
        return stage.userctl("show", "--property=ActiveState", "--value", UNIT).strip();
    }

    @Test
    void stopAsksForThePasswordOnItsTerminal() throws Exception {
        up();
        Terminal terminal =
                stage.onTerminal(
                        List.of(
                                StackStage.HOLDFAST,
                                "stop",
                                UNIT,
                                "--runtime-dir",
                                StackStage.RUNTIME));
        terminal.answer("assword: ", "wrong pony");
        terminal.program().await("try again.");
        assertThat(active()).isEqualTo("active");
        terminal.answer("assword: ", StackStage.PASSWORD);
        assertThat(terminal.end()).isEqualTo(new Exit.Exited(0));
        assertThat(active()).isEqualTo("inactive");
        assertThat(stage.output(StackStage.HOLDFAST, "doctor")).contains("its helper starts");
    }

    @Test
    void doctorSeesAHelperThatDoesNotStart() throws Exception {
        stage.write(HELPER_DROP_IN, "[Service]\nExecStart=\nExecStart=/nonexistent\n");
        up();
        assertThat(stage.output(StackStage.HOLDFAST, "doctor"))
                .contains("whose helper does not start")
                .doesNotContain("its helper starts");
    }
}
