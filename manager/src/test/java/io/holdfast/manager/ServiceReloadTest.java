package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Signal;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.ServiceView;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services that reload their configuration while they run. */
@Timeout(120)
class ServiceReloadTest {
    /** Reloads at SIGHUP as Type=notify-reload requires. */
    private static final String RELOADS =
            """
            def reload():
                usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                notify("RELOADING=1\\nMONOTONIC_USEC=%d" % usec)
                say("reloading")
                notify("READY=1")
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
            notify("READY=1")
            while True:
                signal.sigwait({signal.SIGHUP})
                reload()
            """;

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

    private CompletableFuture<JobResult> reloading(String name) {
        UnitName unit = UnitName.ofUserInput(name);
        return stage.manager().reload(List.of(unit)).thenApply(all -> all.get(unit));
    }

    private JobResult reload(String name) throws Exception {
        return Stage.get(reloading(name));
    }

    private String reloadResult(String name) throws Exception {
        CompletableFuture<String> answer = new CompletableFuture<>();
        stage.manager()
                .loop()
                .post(() ->
                        answer.complete(
                                stage.manager()
                                        .view()
                                        .unit(UnitName.ofUserInput(name))
                                        .orElseThrow()
                                        .details(ServiceView.class)
                                        .orElseThrow()
                                        .reloadResult()));
        return Stage.get(answer);
    }

    @Test
    void itsReloadCommandsRunBesideTheMainProcess() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=" + stage.shell("one", "echo reload of $MAINPID"),
                "ExecReload=/bin/echo two");
        stage.start("a");
        ProcessId main = stage.main("a");

        assertThat(reload("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("a").log()).containsExactly("reload of " + main.pid(), "two");
        assertThat(stage.main("a")).isEqualTo(main);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void aReloadThatFailsIsToldAndTheServiceRunsOn() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=/bin/false",
                "ExecReload=/bin/echo never");
        stage.start("a");

        assertThat(reload("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.status("a").log()).isEmpty();
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(reloadResult("a")).isEqualTo("exit-code");
    }

    @Test
    void aReloadThatTakesTooLongIsEndedAndTheServiceRunsOn() throws Exception {
        stage.service(
                "a",
                "TimeoutStartSec=2s",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=/bin/sleep 1001");
        stage.start("a");

        assertThat(reload("a")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("a")).isEqualTo("active/running success");
        assertThat(reload("a")).as("again").isEqualTo(JobResult.FAILED);
        assertThat(reloadResult("a")).isEqualTo("timeout");
    }

    @Test
    void whatCannotBeReloadedIsNot() throws Exception {
        stage.service("plain", "ExecStart=/bin/sleep 1000");
        stage.service("ended", "ExecStart=/bin/true", "ExecReload=/bin/true");
        stage.start("plain");
        stage.start("ended");
        stage.happenings().awaitRest("ended.service");

        assertThat(reload("plain")).isEqualTo(JobResult.INVALID);
        assertThat(stage.happenings().await("plain.service: ERROR")).contains("ExecReload=");
        assertThat(reload("ended")).isEqualTo(JobResult.INVALID);
        assertThatThrownBy(() -> reload("unheard-of")).hasMessageContaining("not loaded");
    }

    @Test
    void aServiceIsToldBySignalAndSaysWhenItIsDone() throws Exception {
        stage.service("a", "Type=notify-reload", "ExecStart=" + stage.python("reloads", RELOADS));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        for (int i = 1; i <= 3; i++) {
            assertThat(reload("a")).isEqualTo(JobResult.DONE);
            stage.happenings().await("a.service | reloading", i);
        }
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void anAnswerFromBeforeTheSignalIsNone() throws Exception {
        String script =
                """
                def lie():
                    notify("RELOADING=1\\nMONOTONIC_USEC=1")
                    notify("READY=1")
                    say("lied")
                def tell():
                    usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                    notify("RELOADING=1\\nMONOTONIC_USEC=%d" % usec)
                    notify("READY=1")
                answers = {signal.SIGUSR1: lie, signal.SIGUSR2: tell}
                signal.pthread_sigmask(signal.SIG_BLOCK, answers)
                notify("READY=1")
                while True:
                    answers[signal.sigwait(answers)]()
                """;
        stage.service(
                "a",
                "Type=notify-reload",
                "ReloadSignal=SIGUSR1",
                "ExecStart=" + stage.python("lies", script));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        var reload = reloading("a");
        stage.happenings().awaitOutput("a.service", "lied");
        assertThat(stage.state("a")).isEqualTo("reloading/reload-signal success");

        stage.kill("a", Signal.of("USR2"), false);
        assertThat(Stage.get(reload)).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void itMayReloadByItselfAndSaySo() throws Exception {
        Path gate = stage.fifo("gate");
        String script =
                """
                notify("READY=1")
                notify("RELOADING=1\\nSTATUS=reloading")
                say("told")
                open("%s").read(1)
                notify("READY=1\\nSTATUS=done")
                say("told again")
                signal.pause()
                """
                        .formatted(gate);
        stage.service("a", "Type=notify", "ExecStart=" + stage.python("self", script));
        try (RandomAccessFile held = new RandomAccessFile(gate.toFile(), "rw")) {
            stage.start("a");
            awaitStatusText("reloading");
            assertThat(stage.state("a")).isEqualTo("reloading/reload-notify success");
            held.writeBytes("x");
            awaitStatusText("done");
            assertThat(stage.state("a")).isEqualTo("active/running success");
        }
    }

    private void awaitStatusText(String text) throws Exception {
        while (!stage.status("a").statusText().equals(text)) {
            Await.pause();
        }
    }

    @Test
    void aStopEndsAReload() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=" + stage.shell("slow", "echo slow; exec sleep 1000"));
        stage.start("a");
        var reload = reloading("a");
        stage.happenings().awaitOutput("a.service", "slow");
        assertThat(stage.state("a")).isEqualTo("reloading/reload success");

        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(reload)).isEqualTo(JobResult.CANCELED);
        assertThat(stage.state("a")).isEqualTo("failed/failed signal");
    }

    @Test
    void aServiceThatDiesOfItsReloadFails() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "ExecReload=" + stage.shell("kills", "kill -KILL $MAINPID; exec sleep 1000"));
        stage.start("a");

        assertThat(reload("a")).isEqualTo(JobResult.FAILED);
        stage.happenings().awaitRest("a.service");
        assertThat(stage.state("a")).isEqualTo("failed/failed signal");
    }
}
