package io.holdfast.authority.rules.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import org.junit.jupiter.api.Test;

/** Tests the message that rules get for a program that cannot be executed. */
class SpawnErrorTest {
    private static final String FAILED =
            "Error spawning: Failed to execute child process “/usr/bin/x”";

    @Test
    void theProgramsOwnErrorIsThatOfPolkit() {
        assertThat(
                        SpawnError.of(
                                "/usr/bin/x",
                                new ErrnoException("execve", "/usr/bin/x", Errno.ENOENT)))
                .isEqualTo(FAILED + " (No such file or directory)");
        assertThat(SpawnError.of("x", new ErrnoException("execve", "/usr/bin/x", Errno.EACCES)))
                .isEqualTo(
                        "Error spawning: Failed to execute child process “x” (Permission denied)");
    }

    @Test
    void aMissingToolIsNamed() {
        assertThat(
                        SpawnError.of(
                                "/usr/bin/x",
                                new ErrnoException(
                                        "execve", "setpriv", Errno.ENOENT, "install it")))
                .isEqualTo(
                        FAILED
                                + ": execve setpriv: ENOENT (no such file or directory);"
                                + " install it");
    }

    @Test
    void whatEnvCouldNotExecuteIsReportedAsIfItWereExecutedDirectly() {
        assertThat(
                        SpawnError.ofEnv(
                                "/usr/bin/x", 126, "", "env: ‘/usr/bin/x’: Permission denied\n"))
                .contains(FAILED + " (Permission denied)");
        assertThat(SpawnError.ofEnv("x", 127, "", "env: '/usr/bin/x': No such file or directory\n"))
                .contains(
                        "Error spawning: Failed to execute child process “x” (No such file or"
                                + " directory)");
        assertThat( // the message of BusyBox
                        SpawnError.ofEnv(
                                "/usr/bin/x",
                                126,
                                "",
                                "env: can't execute '/usr/bin/x': Permission denied\n"))
                .contains(FAILED + " (Permission denied)");
    }

    @Test
    void anExitOfTheProgramItselfIsNone() {
        assertThat(SpawnError.ofEnv("/usr/bin/x", 126, "", "x: /usr/bin/x: no\n")).isEmpty();
        assertThat(SpawnError.ofEnv("/usr/bin/x", 1, "", "env: ‘/usr/bin/x’: no\n")).isEmpty();
        assertThat(SpawnError.ofEnv("/usr/bin/x", 127, "out", "env: ‘/usr/bin/x’: no\n")).isEmpty();
        assertThat( // a script whose first line has env look for an interpreter
                        SpawnError.ofEnv(
                                "/usr/bin/x",
                                127,
                                "",
                                "env: ‘python’: No such file or directory\n"))
                .isEmpty();
        assertThat(SpawnError.ofEnv("/usr/bin/x", 127, "", "env: ‘/usr/bin/x’: no\nand more\n"))
                .isEmpty();
    }
}
