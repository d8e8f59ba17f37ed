package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import io.holdfast.manager.job.JobResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The commands of sockets: when they run, and what their failures do. */
@Timeout(120)
class SocketCommandsTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    @TempDir private Path folder;
    private Stage stage;
    private Path path;
    private Path notes;

    /** The JDK keeps a descriptor open from its first socket on. */
    @BeforeAll
    static void usePlatformSockets() throws Exception {
        new java.net.ServerSocket(0).close();
    }

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        path = folder.resolve("a.sock");
        notes = Files.createFile(folder.resolve("notes"));
        stage.service("a", "ExecStart=/bin/true");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void socket(String... lines) throws Exception {
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nRemoveOnStop=yes\nListenStream="
                        + path
                        + "\n"
                        + String.join("\n", lines)
                        + "\n");
    }

    /** Returns a command that notes a word, and whether the socket's node exists. */
    private String note(String word) throws Exception {
        return stage.shell(
                word,
                "if [ -S %s ]; then echo %s open; else echo %s; fi >> %s"
                        .formatted(path, word, word, notes));
    }

    private List<String> notes() throws Exception {
        return Files.readAllLines(notes);
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE;
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
            Thread.onSpinWait();
        }
    }

    private void awaitState(String state) throws Exception {
        await(() -> stage.state("a.socket").equals(state));
    }

    @Test
    void commandsRunBeforeAndAfterTheSocketListens() throws Exception {
        socket(
                "ExecStartPre=" + note("start-pre"),
                "ExecStartPre=" + note("second"),
                "ExecStartPost=" + note("start-post"),
                "ExecStopPre=" + note("stop-pre"),
                "ExecStopPost=" + note("stop-post"));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("active/listening success");
        assertThat(notes()).containsExactly("start-pre", "second", "start-post open");

        assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("inactive/dead success");
        assertThat(notes().subList(3, 5)).containsExactly("stop-pre open", "stop-post");
    }

    @Test
    void theSocketIsNotOpenedAfterAFailureOfItsFirstCommand() throws Exception {
        socket(
                "ExecStartPre=/bin/false",
                "ExecStartPre=" + note("second"),
                "ExecStopPost=" + note("stop-post"));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed exit-code");
        assertThat(path).doesNotExist();
        assertThat(notes()).isEmpty();
        stage.happenings().await("/bin/false: has failed");
    }

    @Test
    void theSocketIsClosedAfterAFailureOfACommandThatFollows() throws Exception {
        socket(
                "ExecStartPost=/bin/false",
                "ExecStopPre=" + note("stop-pre"),
                "ExecStopPost=" + note("stop-post"));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed exit-code");
        assertThat(notes()).containsExactly("stop-pre open", "stop-post");
    }

    @Test
    void anIgnoredFailureDoesNotCount() throws Exception {
        socket("ExecStartPre=-/bin/false", "ExecStartPost=" + note("start-post"));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(notes()).containsExactly("start-post open");
    }

    @Test
    void aCommandThatDoesNotEndInTimeIsKilled() throws Exception {
        socket(
                "ExecStartPost=/bin/sleep 1000",
                "TimeoutSec=3s", // each later command has as long
                "ExecStopPre=" + note("stop-pre"),
                "ExecStopPost=" + note("stop-post"));
        assertThat(stage.start("a.socket")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed timeout");
        assertThat(notes()).containsExactly("stop-pre open", "stop-post");
    }

    @Test
    void aStopEndsTheCommandOfAStart() throws Exception {
        socket(
                "ExecStartPre="
                        + stage.shell("hang", "echo begun >> %s; exec sleep 1000".formatted(notes)),
                "ExecStopPost=" + note("stop-post"));
        CompletableFuture<JobResult> start = stage.starting("a.socket");
        awaitState("activating/start-pre success");
        await(() -> notes().contains("begun"));

        assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(start.get()).isEqualTo(JobResult.CANCELED);
        assertThat(stage.state("a.socket")).isEqualTo("failed/failed signal");
        assertThat(notes()).containsExactly("begun", "stop-post");
    }

    @Test
    void whatTheLastCommandLeavesIsEnded() throws Exception {
        Path pid = folder.resolve("pid");
        socket("ExecStopPost=" + stage.shell("leave", "sleep 1000 & echo $! > %s".formatted(pid)));
        stage.start("a.socket");
        assertThat(stage.stop("a.socket")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.socket")).isEqualTo("inactive/dead success");
        try (PidFd left =
                PidFd.find(Integer.parseInt(Files.readString(pid).strip())).orElse(null)) {
            assertThat(left == null || !left.isAlive()).as("it has ended").isTrue();
        }
    }
}
