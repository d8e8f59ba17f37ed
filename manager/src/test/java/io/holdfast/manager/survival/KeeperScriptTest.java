package io.holdfast.manager.survival;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The keeper's script above managers that are scripts too. */
@Timeout(60)
@Needs(programs = {"bash", "dash", "mkfifo"})
class KeeperScriptTest {
    @TempDir private Path folder;
    private final List<Process> started = new ArrayList<>();

    /**
     * Starts the keeper of a manager.
     *
     * @param manager its script: descriptor 8 leads to the keeper; {@code log} appends to a file
     */
    private Process start(String shell, String manager) throws IOException {
        String script;
        try (InputStream in = Keeper.class.getResourceAsStream("keeper.sh")) {
            script = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
        }
        Files.writeString(
                folder.resolve("keeper.sh"), script.replace("most_waits=250", "most_waits=5"));
        Files.writeString(folder.resolve("log"), "");
        Files.writeString(
                folder.resolve("manager"),
                "log() { echo \"$*\" >>" + folder.resolve("log") + "; }\n" + manager);
        String opens = "cd " + folder + "; mkfifo pipe; exec 9<>pipe 6<pipe 9>&-; . ./keeper.sh";
        Process keeper =
                new ProcessBuilder(
                                "env",
                                "--block-signal=CHLD",
                                shell,
                                "-c",
                                opens,
                                "holdfast-keeper",
                                "6",
                                "6",
                                "",
                                "dash",
                                folder.resolve("manager").toString())
                        .start();
        started.add(keeper);
        return keeper;
    }

    @AfterEach
    void close() {
        started.forEach(Process::destroyForcibly);
    }

    private List<String> log() {
        try {
            return Files.readAllLines(folder.resolve("log"));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void terminate(Process keeper) {
        boolean _ = keeper.toHandle().destroy(); // Process.destroy would close its streams too
    }

    private static String err(Process keeper) throws IOException {
        return new String(keeper.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dash", "bash"})
    void theStatusThatAManagerSaysIsTheKeepers(String shell) throws Exception {
        Process keeper = start(shell, "echo ready >&8; echo exit 4 >&8");
        assertThat(keeper.waitFor()).isEqualTo(4);
        assertThat(err(keeper)).isEmpty();
    }

    /** Its child holds the pipe as well: as one whose execve(2) is blocked does. */
    @ParameterizedTest
    @ValueSource(strings = {"dash", "bash"})
    void aManagerThatCannotExitDoesNotKeepTheKeeper(String shell) throws Exception {
        Process keeper =
                start(
                        shell,
                        "log $$; echo ready >&8; echo exit 4 >&8; exec sleep 1000 >/dev/null 2>&1");
        assertThat(keeper.waitFor()).isEqualTo(4);
        assertThat(err(keeper))
                .isEqualTo(
                        "holdfast: the manager (PID %s) has ended but does not exit: a thread of it is blocked in the kernel\n"
                                .formatted(log().getFirst()));
        ProcessHandle.of(Long.parseLong(log().getFirst())).ifPresent(ProcessHandle::destroy);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dash", "bash"})
    void aStopEndsALoopOfManagersThatDieBeforeTheyAreReady(String shell) throws Exception {
        Process keeper =
                start(shell, "echo here >&8; [ -s log ] || echo ready >&8; log started; exit 3");
        Await.until(() -> log().size() >= 5);
        terminate(keeper);
        assertThat(keeper.waitFor()).isEqualTo(1);
        assertThat(err(keeper))
                .contains("3 managers in a row died before they could stop the units");
    }

    @Test
    void aStopEndsThePauseOfAManager() throws Exception {
        Process keeper =
                start(
                        "dash",
                        """
                        case $(wc -l <log) in
                        0) echo ready >&8; log first ;;
                        1) log second; echo pauses >&8; exec sleep 1000 ;;
                        *)
                            trap 'log stopped; echo exit 0 >&8; exit' TERM
                            log "requested=$HOLDFAST_STOP_REQUESTED"
                            echo ready >&8
                            while :; do sleep 0.1; done
                            ;;
                        esac
                        """);
        Await.until(() -> log().contains("second"));
        terminate(keeper);
        assertThat(keeper.waitFor(50, TimeUnit.SECONDS)).isTrue();
        assertThat(keeper.exitValue()).isZero();
        assertThat(log()).containsExactly("first", "second", "requested=yes", "stopped");
    }
}
