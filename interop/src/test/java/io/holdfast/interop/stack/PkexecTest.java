package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** Debian's pkexec, which is setuid root and has a built-in agent, with our authority. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "script",
            "setpriv",
            "stty",
            "systemctl",
            "pkexec"
        })
class PkexecTest {
    private static final int SETUID = 04000;
    private static final Exit NOT_AUTHORIZED = new Exit.Exited(127);

    private StackStage stage;
    private RunningProgram up;

    @BeforeAll
    void start() throws Exception {
        int mode = (Integer) Files.getAttribute(Path.of("/usr/bin/pkexec"), "unix:mode");
        assumeTrue((mode & SETUID) != 0, "pkexec must be setuid");
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/etc/polkit-1/rules.d/10-pkexec.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "org.freedesktop.policykit.exec"
                            && action.lookup("program") == "/usr/bin/id"
                            && action.lookup("user") == "nobody" && subject.user == "%s") {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(StackStage.USER));
        up = stage.ready();
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Runs pkexec in a shell of the user: pkexec checks its parent. */
    private Terminal pkexec(String arguments) throws InterruptedException {
        return stage.onTerminal(List.of("sh", "-c", "pkexec " + arguments + "; exit $?"));
    }

    @Test
    void theRightPasswordRunsItAsRoot() throws Exception {
        Terminal terminal = pkexec("sh -c 'echo I am $(id -un) for $PKEXEC_UID in $(pwd)'");
        terminal.answer("assword: ", StackStage.PASSWORD);

        assertThat(terminal.end()).as(terminal.program()::written).isEqualTo(new Exit.Exited(0));
        assertThat(terminal.program().written())
                .contains("AUTHENTICATION COMPLETE")
                .contains("I am root for " + StackStage.UID + " in /root");
    }

    @Test
    void aWrongPasswordRunsNothing() throws Exception {
        Terminal terminal = pkexec("echo I have run");
        terminal.answer("assword: ", "wrong pony");

        assertThat(terminal.end()).as(terminal.program()::written).isEqualTo(NOT_AUTHORIZED);
        assertThat(terminal.program().written())
                .contains("AUTHENTICATION FAILED", "Not authorized")
                .doesNotContain("I have run\r");
        up.await("org.freedesktop.policykit.exec: no for process");
    }

    @Test
    void itRunsAsAnotherUserWhereItWasCalled() throws Exception {
        Terminal terminal =
                stage.onTerminal(
                        List.of(
                                "sh",
                                "-c",
                                "cd /usr; pkexec --user nobody --keep-cwd"
                                        + " sh -c 'echo I am $(id -un) in $(pwd)'; exit $?"));
        terminal.program().await("as user nobody");
        terminal.answer("assword: ", StackStage.PASSWORD);

        assertThat(terminal.end()).as(terminal.program()::written).isEqualTo(new Exit.Exited(0));
        assertThat(terminal.program().written()).contains("I am nobody in /usr");
    }

    @Test
    void itRunsWithoutAQuestionWhatARuleGrants() throws Exception {
        Terminal terminal = pkexec("--user nobody --keep-cwd id -un");

        assertThat(terminal.end()).as(terminal.program()::written).isEqualTo(new Exit.Exited(0));
        assertThat(terminal.program().written())
                .endsWith("nobody\r\n")
                .doesNotContain("AUTHENTICATING");
    }
}
