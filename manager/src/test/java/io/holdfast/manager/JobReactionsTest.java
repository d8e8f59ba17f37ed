package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Signal;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What happens to jobs and units when something else happens meanwhile. */
@Timeout(120)
class JobReactionsTest {
    private static final String SLEEP = "ExecStart=/bin/sleep 1000";

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private String waitsFor(Path gate) throws Exception {
        return stage.shell(
                gate.getFileName().toString() + "-waits", "echo waiting; read line < " + gate);
    }

    private static void open(Path gate) throws Exception {
        Files.writeString(gate, "go\n");
    }

    private UnitJob enqueue(String name, JobType type) throws Exception {
        return enqueue(name, type, JobMode.REPLACE);
    }

    private UnitJob enqueue(String name, JobType type, JobMode mode) throws Exception {
        CompletableFuture<UnitJob> answer = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        stage.manager()
                                .view()
                                .jobs()
                                .enqueue(UnitName.of(name), type, mode, answer));
        return Stage.get(answer);
    }

    private record Pair(CompletableFuture<?> start, CompletableFuture<?> end) {}

    /** Makes the manager begin to stop before the files of the start can have been read. */
    private Pair startAndShutDown(String name) throws Exception {
        CompletableFuture<Pair> both = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        both.complete(new Pair(stage.starting(name), stage.manager().shutdown())));
        return Stage.get(both);
    }

    @Test
    void aStartWhoseFilesAreReadWhenTheManagerStopsIsRefused() throws Exception {
        Path gate = stage.fifo("gate");
        stage.service("slow", SLEEP, "ExecStop=" + waitsFor(gate));
        stage.service("late", SLEEP);
        stage.start("slow");
        Pair both = startAndShutDown("late");
        stage.happenings().awaitOutput("slow.service", "waiting");
        assertThatThrownBy(() -> Stage.get(both.start()))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("the manager is stopping");
        open(gate);
        Stage.get(both.end());
        assertThat(stage.happenings().lines())
                .filteredOn(line -> line.contains("late.service: INFO started process"))
                .isEmpty();
    }

    @Test
    void aRequestWhoseFilesAreReadWhenTheLoopEndsIsAnswered() throws Exception {
        stage.service("late", SLEEP);
        Pair both = startAndShutDown("late");
        Stage.get(both.end());
        assertThatThrownBy(() -> Stage.get(both.start()))
                .isInstanceOf(ExecutionException.class)
                .hasMessageContaining("the manager is stopping");
    }

    @Test
    void aStopOfAUnitThatIsNotThereSaysThatItIsNotLoaded() {
        assertThatThrownBy(() -> enqueue("missing.service", JobType.STOP))
                .hasMessageContaining("Unit missing.service not loaded.");
        assertThatThrownBy(() -> enqueue("missing.service", JobType.RELOAD))
                .hasMessageContaining("Unit missing.service not found.");
    }

    @Test
    void aSocketWhoseStopIsCalledOffListensOn() throws Exception {
        Path gate = stage.fifo("gate");
        Path path = folder.resolve("a.sock");
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenStream="
                        + path
                        + "\n");
        stage.service("a@", SLEEP);
        stage.serviceWith(
                "user", "After=a.socket\nRequires=a.socket", SLEEP, "ExecStop=" + waitsFor(gate));
        stage.start("user");
        UnitJob stop = enqueue("a.socket", JobType.STOP);
        stage.happenings().awaitOutput("user.service", "waiting");
        CompletableFuture<Boolean> cancelled = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() -> cancelled.complete(stage.manager().view().jobs().cancel(stop.id())));
        assertThat(Stage.get(cancelled)).isTrue();
        try (UnixSocket _ =
                UnixSocket.connect(
                        UnixAddress.path(path), SocketType.STREAM, Duration.ofSeconds(10))) {
            stage.happenings().await(": INFO started process", 2);
        }
        open(gate);
    }

    @Test
    void aRestartWhoseStopFailsStartsTheFailureHandler() throws Exception {
        stage.service("handler", "Type=oneshot", "ExecStart=/bin/echo handled");
        stage.serviceWith("a", "OnFailure=handler.service", SLEEP, "ExecStop=/bin/false");
        stage.start("a");
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("handler.service", "handled");
        assertThat(stage.state("a")).startsWith("active/running");
    }

    @Test
    void aUnitIsStoppedThatIsStartedWhileWhatItIsBoundToEnds() throws Exception {
        Path gate = stage.fifo("gate");
        stage.service("base", SLEEP);
        stage.serviceWith(
                "bound",
                "BindsTo=base.service\nAfter=base.service",
                "ExecStartPre=" + waitsFor(gate),
                SLEEP);
        var bound = stage.starting("bound");
        stage.happenings().awaitOutput("bound.service", "waiting");
        stage.kill("base", Signal.KILL, true);
        assertThat(Stage.get(bound)).as("at once").isEqualTo(JobResult.CANCELED);
        stage.happenings().awaitRest("bound.service");
        stage.happenings().awaitRest("base.service");
    }

    @Test
    void aStopThatWaitsIsNotUndoneByAStartThatItReplaced() throws Exception {
        Path mine = stage.fifo("mine");
        Path other = stage.fifo("other");
        stage.service("a", SLEEP, "ExecStopPost=" + waitsFor(mine));
        stage.serviceWith(
                "b", "Requires=a.service\nAfter=a.service", SLEEP, "ExecStop=" + waitsFor(other));
        stage.start("b");
        stage.kill("a", Signal.TERM, false);
        stage.happenings().awaitOutput("a.service", "waiting");
        enqueue("a.service", JobType.START);
        var stop = stage.stopping("a");
        stage.happenings().awaitOutput("b.service", "waiting");
        open(mine);
        assertThat(Stage.get(stop)).isEqualTo(JobResult.DONE);
        open(other);
        stage.happenings().awaitRest("b.service");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void aRestartThatLeavesOthersAloneDoesNotStopWhatIsBoundToIt() throws Exception {
        stage.service("base", SLEEP);
        stage.serviceWith("bound", "BindsTo=base.service\nAfter=base.service", SLEEP);
        stage.start("bound");
        enqueue("base.service", JobType.RESTART, JobMode.IGNORE_REQUIREMENTS);
        stage.happenings().await("base.service: INFO started process", 2);
        assertThat(stage.state("bound")).startsWith("active/running");
    }

    @Test
    void anInstanceOfASocketIsKeptWhileItHasAJob() throws Exception {
        Path gate = stage.fifo("gate");
        Path path = folder.resolve("a.sock");
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nAccept=yes\nListenStream="
                        + path
                        + "\n");
        stage.service("slow", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=" + waitsFor(gate));
        stage.serviceWith("a@", "After=slow.service", SLEEP);
        stage.start("a.socket");
        try (UnixSocket _ =
                UnixSocket.connect(
                        UnixAddress.path(path), SocketType.STREAM, Duration.ofSeconds(10))) {
            stage.happenings().await(": INFO started process", 1);
            String instance =
                    stage.loaded().stream()
                            .filter(name -> name.startsWith("a@"))
                            .findFirst()
                            .orElseThrow();
            var slow = stage.starting("slow");
            stage.happenings().awaitOutput("slow.service", "waiting");
            enqueue(instance, JobType.RESTART);
            stage.happenings().awaitRest(instance);
            open(gate);
            Stage.get(slow);
            stage.happenings().await(instance + ": INFO started process", 2);
            assertThat(stage.state(instance)).startsWith("active/running");
        }
    }
}
