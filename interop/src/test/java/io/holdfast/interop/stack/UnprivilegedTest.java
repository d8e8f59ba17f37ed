package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the authority's processes can do, tried from within: by programs that a rule of its own
 * spawns.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl", "pkcheck"})
class UnprivilegedTest {
    private static final String ACTION = "org.holdfast.interop.spawn";

    private StackStage stage;
    private RunningProgram subject;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITHOUT);
        stage.write(
                "/etc/polkit-1/actions/spawn.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig><action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action></policyconfig>
                """
                        .formatted(ACTION));
        stage.write(
                "/etc/polkit-1/rules.d/10-spawn.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "%s") {
                        var said = polkit.spawn(["sh", "-c", "if { " + action.lookup("command") + "\\n"
                            + "} >/dev/null 2>&1; then echo holds; else echo refused; fi"]);
                        return said === action.lookup("expected") + "\\n" ? "yes" : "no";
                    }
                });
                """
                        .formatted(ACTION));
        RunningProgram _ = stage.ready();
        subject = stage.processOfUser();
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Asserts that the command was tried, and how it ended: any other outcome is not a yes. */
    private void assertTried(String command, String expected) throws InterruptedException {
        Exit exit =
                stage.run(
                        "pkcheck",
                        "--action-id",
                        ACTION,
                        "--process",
                        Integer.toString(subject.process().pid()),
                        "--detail",
                        "expected",
                        expected,
                        "--detail",
                        "command",
                        command);
        assertThat(exit).as("%s: %s", command, expected).isEqualTo(new Exit.Exited(0));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "true",
                "echo hello >/tmp/its-own",
                "grep -q 'NoNewPrivs:.1$' /proc/self/status",
                "grep -q 'CapBnd:.0000000000000000$' /proc/self/status",
                "! grep -q : /proc/self/net/dev || [ \"$(grep -c : /proc/self/net/dev)\" = 1 ]"
            })
    void thisHolds(String command) throws Exception {
        assertTried(command, "holds");
        assertThat(stage.file("/tmp/its-own")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "false",
                "[ \"$(id -u)\" = 0 ]",
                "setpriv --reuid=0 true",
                "cat /etc/shadow",
                "cat /root/.profile",
                "echo 1 >/etc/holdfast",
                "echo 1 >/etc/polkit-1/rules.d/00-mine.rules",
                "echo 1 >/usr/holdfast",
                "echo 1 >/var/holdfast",
                "echo 1 >/run/holdfast-file",
                "echo 1 >/run/stack/holdfast",
                "echo 1 >/run/stack/stack/polkit.service",
                "echo 1 >/proc/sys/kernel/hostname",
                "mount -t tmpfs none /tmp",
                "kill -0 1"
            })
    void thisIsRefused(String command) throws Exception {
        assertTried(command, "refused");
    }

    @Test
    void itSignalsNeitherTheBusNorTheManager() throws Exception {
        try (PidFd bus = stage.mainProcess("dbus.service");
                PidFd manager = bus.parent().orElseThrow()) {
            assertTried("kill -0 " + bus.pid(), "refused");
            assertTried("kill -0 " + manager.pid(), "refused");
        }
    }
}
