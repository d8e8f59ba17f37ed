package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A temporary authorization serves the same process, and the processes that one shell has started.
 */
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
            "hostnamectl",
            "pkttyagent",
            "varlinkctl"
        })
class TemporaryAuthorizationTest {
    private StackStage stage;

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        try (InputStream in = TemporaryAuthorizationTest.class.getResourceAsStream("set-name.py")) {
            stage.write(
                    "/run/stage/set-name.py",
                    new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8));
        }
        for (String pipe : List.of("aged", "granted")) {
            assertThat(stage.output("mkfifo", "--mode=0666", "/run/stage/" + pipe)).isEmpty();
        }
        RunningProgram _ = stage.ready();
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private String kept() throws InterruptedException {
        return stage.output(
                "varlinkctl",
                "call",
                "--json=short",
                StackStage.AUTHORITY,
                "io.holdfast.Authority.ListTemporaryAuthorizations",
                "{}");
    }

    /** Lets the script continue, which waits at a pipe that exists only for this step. */
    private void letGoOn(String pipe) throws InterruptedException {
        assertThat(stage.output("sh", "-c", "echo >/run/stage/" + pipe)).isEmpty();
    }

    @Test
    void oneAuthenticationServesOneShellAsLongAsItsProcessLives() throws Exception {
        Terminal terminal =
                stage.onTerminal(
                        List.of(
                                "sh",
                                "-c",
                                """
                                read line </run/stage/aged
                                /usr/bin/python3 /run/stage/set-name.py first & kept=$!
                                read line </run/stage/granted # the terminal is the agent's
                                hostnamectl set-hostname second; echo second-$?
                                sh -c 'hostnamectl set-hostname third; echo third-$?'
                                kill $kept; wait $kept
                                echo gone
                                hostnamectl set-hostname fourth; echo fourth-$?
                                """));
        long made = System.nanoTime(); // start times have a resolution of a hundredth of a second
        Await.until(() -> System.nanoTime() - made > 100_000_000);
        letGoOn("aged");
        terminal.answer("assword: ", StackStage.PASSWORD);
        terminal.program().await("set first");
        terminal.program().await("again");
        assertThat(kept())
                .contains("\"action\":\"org.freedesktop.hostname1.set-static-hostname\"")
                .containsPattern("\"pidfdId\":\\d+");

        letGoOn("granted");
        terminal.program().await("second-0");
        terminal.answer("assword: ", "wrong pony"); // another shell
        terminal.program().await("third-1");
        terminal.program().await("gone");
        assertThat(kept()).isEqualTo("{\"temporaryAuthorizations\":[]}");
        terminal.answer("assword: ", StackStage.PASSWORD);
        terminal.program().await("fourth-0");
        assertThat(stage.output("hostname")).isEqualTo("fourth");
    }

    @Test
    void itStillDoesWhenTheAuthorityWasKilled() throws Exception {
        Terminal terminal =
                stage.onTerminal(
                        List.of(
                                "sh",
                                "-c",
                                """
                                read line </run/stage/aged
                                /usr/bin/python3 /run/stage/set-name.py first & kept=$!
                                read line </run/stage/granted
                                hostnamectl set-hostname second; echo second-$?
                                kill $kept; wait $kept
                                echo gone
                                """));
        long made = System.nanoTime();
        Await.until(() -> System.nanoTime() - made > 100_000_000);
        letGoOn("aged");
        terminal.answer("assword: ", StackStage.PASSWORD);
        terminal.program().await("again");
        String before = kept();
        assertThat(before).contains("set-static-hostname");

        try (PidFd authority = stage.mainProcess("polkit.service")) {
            assertThat(authority.signal(Signal.KILL)).isTrue();
        }
        assertThat(kept()).isEqualTo(before);
        letGoOn("granted");
        terminal.program().await("second-0");
        terminal.program().await("gone");
        assertThat(kept()).isEqualTo("{\"temporaryAuthorizations\":[]}");
    }
}
