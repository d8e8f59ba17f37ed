package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Signal;
import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The effect of changed files on starts and restarts. */
@Timeout(120)
class RestartRequestTest {
    private static final String SLEEP = "ExecStart=/bin/sleep 1000";
    private static final String BROKEN = "ExecStart=bin/relative";

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

    private Path file(String name) {
        return stage.unitFolder().resolve(name);
    }

    private void mask(String name) throws Exception {
        Files.delete(file(name));
        Files.createSymbolicLink(file(name), Path.of("/dev/null"));
    }

    private void alias(String name) throws Exception {
        Files.createSymbolicLink(file(name), Path.of("a.service"));
    }

    /** Makes a command that prints a word and waits to be {@linkplain #release released}. */
    private String waits(String word) throws Exception {
        return stage.shell(word, "echo " + word + "; read line < " + stage.fifo(word + ".fifo"));
    }

    private void release(String word) throws Exception {
        Files.writeString(folder.resolve(word + ".fifo"), "go\n");
    }

    /**
     * Releases the command, after the unit was changed so that its next run has no such command.
     */
    private void changeAndRelease(String word, String name, String unitLines) throws Exception {
        stage.serviceWith(name, unitLines, SLEEP);
        Stage.get(stage.reloading());
        release(word);
    }

    private CompletableFuture<Map<UnitName, JobResult>> restarting(String... names) {
        return stage.manager().restart(Stream.of(names).map(UnitName::ofUserInput).toList());
    }

    private void assertNotRestarted(String name, JobResult how) throws Exception {
        ProcessId before = stage.main(name);
        assertThat(stage.restart(name)).isEqualTo(how);
        assertThat(stage.main(name)).isEqualTo(before);
        assertThat(stage.state(name)).isEqualTo("active/running success");
    }

    @Test
    void whatCouldNotBeStartedAgainIsNotStopped() throws Exception {
        stage.service("a", SLEEP);
        stage.service("b", SLEEP);
        stage.start("a");
        stage.start("b");
        ProcessId a = stage.main("a");
        ProcessId b = stage.main("b");

        stage.service("a", BROKEN);
        Stage.get(stage.reloading());
        assertNotRestarted("a", JobResult.INVALID);
        stage.happenings().await("a.service: ERROR " + file("a.service"));
        assertThat(stage.status("a").loadState()).isEqualTo("bad-setting");
        assertThat(stage.status("a").errors()).hasSize(1);
        Files.delete(file("a.service"));
        assertNotRestarted("a", JobResult.INVALID);
        assertThat(Stage.get(stage.reloading())).isEqualTo(1);
        assertThat(stage.status("a").loadState()).isEqualTo("not-found");
        assertNotRestarted("a", JobResult.INVALID);
        stage.happenings().await("a.service: ERROR there is no such unit");
        Files.createSymbolicLink(file("a.service"), Path.of("/dev/null"));
        assertThat(Stage.get(restarting("a", "b")))
                .containsEntry(UnitName.of("a.service"), JobResult.INVALID)
                .containsEntry(UnitName.of("b.service"), JobResult.DONE);
        stage.happenings().await("a.service: ERROR it is masked by " + file("a.service"));
        assertThat(stage.main("a")).isEqualTo(a);
        assertThat(stage.main("b")).isNotEqualTo(b);

        Files.delete(file("a.service"));
        stage.service("a", SLEEP);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isNotEqualTo(a);
    }

    @Test
    void aChangedFileTakesEffectAfterADaemonReload() throws Exception {
        stage.service("a", "ExecStart=/bin/sh -c 'echo old; exec sleep 1000'");
        stage.start("a");
        stage.happenings().await("a.service | old");
        stage.service("a", "ExecStart=/bin/sh -c 'echo new; exec sleep 1000'");
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service: WARNING its files have changed");
        stage.happenings().await("a.service | old", 2);
        Stage.get(stage.reloading());
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("a.service | new");
    }

    @Test
    void aTypeThatCannotRunIsFoundBeforeTheStop() throws Exception {
        stage.service("a", SLEEP);
        stage.start("a");
        stage.service("a", "Type=dbus", "BusName=org.example.A", SLEEP);
        Stage.get(stage.reloading());
        assertNotRestarted("a", JobResult.INVALID);
        stage.happenings().await("a.service: ERROR Type=dbus needs a message bus");
    }

    @Test
    void dependantsThatCouldNotComeBackKeepARestartFromBeingDone() throws Exception {
        stage.service("a", SLEEP);
        stage.serviceWith("d", "Requires=a.service\nAfter=a.service", SLEEP);
        stage.start("d");
        ProcessId d = stage.main("d");

        mask("d.service");
        assertNotRestarted("a", JobResult.DEPENDENCY);
        stage.happenings().await("d.service: ERROR it is masked");
        assertThat(Stage.get(restarting("a", "d")))
                .containsEntry(UnitName.of("a.service"), JobResult.DEPENDENCY)
                .containsEntry(UnitName.of("d.service"), JobResult.INVALID);
        Files.delete(file("d.service"));
        assertNotRestarted("a", JobResult.DEPENDENCY);
        assertThat(stage.main("d")).isEqualTo(d);

        stage.serviceWith("d", "Requires=a.service\nAfter=a.service", SLEEP);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.happenings().await("d.service: INFO started process", 2);
        assertThat(stage.main("d")).isNotEqualTo(d);
    }

    @Test
    void whatStaysUpIsAskedForNothing() throws Exception {
        stage.service("b", SLEEP);
        stage.serviceWith("a", "Requires=b.service", SLEEP);
        stage.start("b"); // a start of a does not wait for it
        stage.start("a");
        ProcessId a = stage.main("a");
        ProcessId b = stage.main("b");

        stage.service("b", BROKEN);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        mask("b.service");
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isNotEqualTo(a);
        assertThat(stage.main("b")).isEqualTo(b);
    }

    @Test
    void theDependenciesOfTheNewFileCount() throws Exception {
        stage.service("down", SLEEP);
        stage.service("broken", BROKEN);
        stage.service("a", SLEEP);
        stage.start("a");

        stage.serviceWith("a", "Requires=broken.service", SLEEP);
        Stage.get(stage.reloading());
        assertNotRestarted("a", JobResult.DEPENDENCY);
        stage.serviceWith("a", "Requisite=down.service", SLEEP);
        Stage.get(stage.reloading());
        assertNotRestarted("a", JobResult.DEPENDENCY);
        stage.start("down");
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        stage.stop("down");
        assertThat(stage.start("a")).isEqualTo(JobResult.DEPENDENCY);
        stage.service("a", SLEEP);
        Stage.get(stage.reloading());
        assertThat(stage.restart("a")).as("the old one required it").isEqualTo(JobResult.DONE);
    }

    @Test
    void aTryRestartIsRefusedToo() throws Exception {
        stage.service("down", SLEEP);
        stage.serviceWith("a", "Requisite=down.service\nAfter=down.service", SLEEP);
        stage.start("down");
        stage.start("a");
        enqueue("down.service", JobType.STOP, JobMode.IGNORE_REQUIREMENTS);
        stage.happenings().awaitRest("down.service");
        ProcessId main = stage.main("a");
        assertThatThrownBy(() -> enqueue("a.service", JobType.TRY_RESTART, JobMode.REPLACE))
                .hasMessageContaining("Requisite=down.service is not active");
        assertThat(stage.main("a")).isEqualTo(main);
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

    @Test
    void nothingIsSaidToStopForARestartThatIsRefused() throws Exception {
        stage.service("rival", SLEEP);
        stage.serviceWith("wanted", "Conflicts=rival.service", SLEEP);
        stage.service("a", SLEEP);
        stage.start("a");
        stage.start("rival");
        stage.serviceWith("a", "Wants=wanted.service", BROKEN);
        Stage.get(stage.reloading());

        assertNotRestarted("a", JobResult.INVALID);
        assertThat(stage.state("rival")).startsWith("active");
        assertThat(stage.happenings().lines()).noneMatch(line -> line.contains("it conflicts"));
    }

    @Test
    void aSocketIsNotClosedWhoseServiceGoesOn() throws Exception {
        stage.unit(
                "a.socket",
                "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=" + folder.resolve("s"));
        stage.service("a", SLEEP);
        stage.start("a.socket");
        stage.start("a");
        ProcessId a = stage.main("a");

        assertThat(stage.restart("a.socket")).isEqualTo(JobResult.INVALID);
        stage.happenings().await("a.socket: ERROR service a.service is active");
        stage.service("a", BROKEN);
        Stage.get(stage.reloading());
        assertThat(Stage.get(restarting("a", "a.socket")).values()).containsOnly(JobResult.INVALID);
        assertThat(stage.state("a.socket")).startsWith("active");
        assertThat(stage.main("a")).isEqualTo(a);

        stage.service("a", SLEEP);
        assertThat(Stage.get(restarting("a", "a.socket")).values()).containsOnly(JobResult.DONE);
        assertThat(stage.main("a")).isNotEqualTo(a);
    }

    @Test
    void aStartJoinsTheOneUnderWayWhateverTheFileSaysByThen() throws Exception {
        stage.service("a", "ExecStartPre=" + waits("starting"), SLEEP);
        stage.serviceWith("needs-a", "Requires=a.service\nAfter=a.service", SLEEP);
        var first = stage.starting("a");
        stage.happenings().awaitOutput("a.service", "starting");
        stage.service("a", BROKEN);
        Stage.get(stage.reloading());
        var second = stage.starting("needs-a");
        release("starting");
        assertThat(Stage.get(first)).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(second)).isEqualTo(JobResult.DONE);
    }

    @Test
    void whatIsMaskedWhileItStopsIsNotStartedAfterIt() throws Exception {
        stage.service("a", SLEEP, "ExecStop=" + waits("stopping"));
        stage.start("a");
        var stop = stage.stopping("a");
        stage.happenings().awaitOutput("a.service", "stopping");
        var start = stage.starting("a");
        assertThat(Stage.get(stop)).as("its place is taken").isEqualTo(JobResult.CANCELED);
        mask("a.service");
        Stage.get(stage.reloading());
        release("stopping");
        assertThat(Stage.get(start)).isEqualTo(JobResult.INVALID);
        assertThat(stage.status("a").activeState().isUp()).isFalse();
    }

    @Test
    void aStopDuringARestartCounts() throws Exception {
        stage.service("a", SLEEP, "ExecStop=" + waits("stopping"));
        stage.serviceWith("d", "Requires=a.service\nAfter=a.service", SLEEP);
        stage.start("d");
        var restart = restarting("a");
        stage.happenings().await("d.service: INFO stopped");
        stage.happenings().awaitOutput("a.service", "stopping");
        var stop = stage.stopping("d");
        assertThat(Stage.get(stop)).isEqualTo(JobResult.DONE);
        changeAndRelease("stopping", "a", "");
        assertThat(Stage.get(restart).values()).containsExactly(JobResult.DONE);
        assertThat(stage.state("a")).startsWith("active");
        assertThat(stage.state("d")).startsWith("inactive");
    }

    @Test
    void aStopOfWhatIsRestartedCountsToo() throws Exception {
        stage.service("a", SLEEP, "ExecStop=" + waits("stopping"));
        stage.serviceWith("d", "Requires=a.service\nAfter=a.service", SLEEP);
        stage.start("d");
        var restart = restarting("a");
        stage.happenings().awaitOutput("a.service", "stopping");
        var stop = stage.stopping("a");
        Stage.get(stage.reloading()); // the stop has been queued
        release("stopping");
        assertThat(Stage.get(stop)).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(restart).values()).containsExactly(JobResult.CANCELED);
        assertThat(stage.state("a")).startsWith("inactive");
        assertThat(stage.state("d")).startsWith("inactive");
    }

    @Test
    void aUnitWhoseFileIsGoneIsNotStarted() throws Exception {
        stage.service("a", "Type=oneshot", "ExecStart=/bin/true");
        alias("b.service");
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);

        Files.delete(file("b.service"));
        assertThat(stage.start("b")).isEqualTo(JobResult.INVALID);
        assertThat(stage.status("b").loadState()).isEqualTo("not-found");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        Files.delete(file("a.service"));
        assertThat(stage.start("a")).isEqualTo(JobResult.INVALID);
        assertThat(stage.status("a").loadState()).isEqualTo("not-found");

        stage.service("a", "Type=oneshot", "ExecStart=/bin/true");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
    }

    @Test
    void anAliasIsWhatItsFileSaysNow() throws Exception {
        stage.service("a", "Restart=always", SLEEP);
        alias("b.service");
        stage.start("b");
        ProcessId a = stage.main("a");

        mask("b.service");
        assertThat(stage.start("b")).isEqualTo(JobResult.INVALID);
        Files.delete(file("b.service"));
        stage.service("b", "ExecStart=/bin/sh -c 'echo I am b; exec sleep 1000'");
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitOutput("b.service", "I am b");
        alias("c.service");
        assertThat(Stage.get(stage.reloading())).isEqualTo(2);
        assertThat(stage.start("c")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isEqualTo(a);
        assertThat(stage.restart("c")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isNotEqualTo(a);
        assertThat(stage.status("a").log()).doesNotContain("I am b");
    }

    @Test
    void aServiceRestartsByItselfAsItWasWhenItsFileCannotBeUsed() throws Exception {
        stage.service("a", "Restart=always", SLEEP);
        stage.start("a");
        int starts = 1;
        for (List<String> lines :
                List.of(List.of(BROKEN), List.of("Type=dbus", "BusName=org.example.A", SLEEP))) {
            stage.service("a", lines.toArray(String[]::new));
            Stage.get(stage.reloading());
            stage.kill("a", Signal.KILL, true);
            stage.happenings().await("restarting with the old one", starts);
            stage.happenings().await("a.service: INFO started", ++starts);
        }
    }

    @Test
    void aServiceIsNotRestartedByItselfThatIsMaskedOrGone() throws Exception {
        int ends = 0;
        for (String why : List.of("masked", "not-found")) {
            stage.service("a", "Restart=always", SLEEP);
            stage.start("a");
            mask("a.service");
            Stage.get(stage.reloading());
            if (why.equals("not-found")) {
                Files.delete(file("a.service"));
                Stage.get(stage.reloading());
            }
            stage.kill("a", Signal.KILL, true);
            stage.happenings().await("a.service: WARNING is not started again: it is " + why);
            stage.happenings().await("a.service: ERROR failed: signal", ++ends);
            assertThat(stage.state("a")).isEqualTo("failed/failed signal");
            assertThat(stage.status("a").loadState()).isEqualTo(why);
            Files.deleteIfExists(file("a.service"));
        }
    }

    @Test
    void whatIsBoundComesBackThoughItWaitsForAnother() throws Exception {
        stage.service("a", SLEEP);
        stage.serviceWith("d", "BindsTo=a.service", SLEEP);
        String needsD = "Requires=d.service\nAfter=d.service";
        stage.serviceWith("e", needsD, SLEEP, "ExecStop=" + waits("stopping"));
        stage.start("e");
        var restart = restarting("a");
        stage.happenings().awaitOutput("e.service", "stopping");
        stage.happenings().await("a.service: INFO stopped");
        changeAndRelease("stopping", "e", needsD);
        assertThat(Stage.get(restart).values()).containsExactly(JobResult.DONE);
        stage.happenings().await("e.service: INFO started process", 2);
        stage.happenings().await("d.service: INFO started process", 2);
    }

    @Test
    void aStartThatEndsDuringARestartIsNoStop() throws Exception {
        stage.service("base", SLEEP, "ExecStop=" + waits("stopping"));
        Path quick = folder.resolve("quick");
        stage.serviceWith(
                "a",
                "PartOf=base.service",
                "Type=oneshot",
                "ExecStart=/bin/sh -c 'test -e "
                        + quick
                        + " || { echo sleeping; exec sleep 1000; }'");
        stage.serviceWith("d", "Requires=a.service\nPartOf=base.service", SLEEP);
        stage.start("base");
        var first = stage.starting("d");
        stage.happenings().await("a.service: INFO started");
        stage.happenings().awaitOutput("a.service", "sleeping"); // it has looked for the file
        stage.happenings().await("d.service: INFO started");
        Files.writeString(quick, "");
        var restart = restarting("base");
        stage.happenings().awaitOutput("base.service", "stopping");
        changeAndRelease("stopping", "base", "");
        assertThat(Stage.get(restart).values()).containsExactly(JobResult.DONE);
        assertThat(Stage.get(first)).isNotNull();
        stage.happenings().await("a.service: INFO started process", 2);
        stage.happenings().await("d.service: INFO started process", 2);
    }

    @Test
    void aNameAndItsAliasMayChangePlaces() throws Exception {
        stage.service("a", SLEEP);
        alias("b.service");
        stage.start("a");
        ProcessId before = stage.main("a");
        Files.delete(file("b.service"));
        stage.service("b", SLEEP);
        Files.delete(file("a.service"));
        Files.createSymbolicLink(file("a.service"), Path.of("b.service"));
        Stage.get(stage.reloading());
        assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("b")).isEqualTo(before);
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isEqualTo(stage.main("b")).isNotEqualTo(before);
    }

    @Test
    void whatRunsAndIsGoneIsWhatItWasToOthers() throws Exception {
        stage.serviceWith("a", "OnFailure=called.service", SLEEP);
        alias("b.service");
        stage.serviceWith("bound", "BindsTo=b.service\nAfter=b.service", SLEEP);
        stage.service("called", "Type=oneshot", "ExecStart=/bin/echo called");
        stage.service("c", SLEEP);
        Files.createSymbolicLink(file("also-c.service"), Path.of("c.service"));
        stage.start("bound");
        stage.start("c");
        for (String name : List.of("a", "b", "c", "also-c")) {
            Files.delete(file(name + ".service"));
        }
        Stage.get(stage.reloading());
        stage.kill("a", Signal.KILL, true);
        stage.happenings().awaitOutput("called.service", "called");
        stage.happenings().await("bound.service: INFO stopped");
        assertThat(stage.stop("also-c")).isEqualTo(JobResult.DONE);
    }

    @Test
    void aTargetThatIsReachedAndGoneStaysReached() throws Exception {
        stage.unit("t.target", "[Unit]\nDefaultDependencies=no\nUpholds=u.service\n");
        stage.service("u", SLEEP);
        stage.start("t.target");
        stage.happenings().await("u.service: INFO started");
        Files.delete(file("t.target"));
        Stage.get(stage.reloading());
        assertThat(stage.start("t.target")).isEqualTo(JobResult.DONE);
        stage.kill("u", Signal.KILL, true);
        stage.happenings().await("u.service: INFO started", 2);
        assertThat(stage.stop("t.target")).isEqualTo(JobResult.DONE);
        assertThat(stage.start("t.target")).isEqualTo(JobResult.INVALID);
    }

    @Test
    void aFileThatIsAwayForAMomentTakesNoRestartAway() throws Exception {
        stage.service("a", "Restart=always", SLEEP);
        stage.start("a");
        Files.delete(file("a.service"));
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        ProcessId before = stage.main("a");
        assertThat(stage.restart("a")).as("as it was loaded").isEqualTo(JobResult.DONE);
        assertThat(stage.main("a")).isNotEqualTo(before);
        stage.kill("a", Signal.KILL, true);
        stage.happenings().await("a.service: INFO started", 3);
    }

    @Test
    void aSocketThatIsPartOfAnotherUnitIsNoReasonToRefuse() throws Exception {
        stage.unit(
                "s.socket",
                "[Unit]\nDefaultDependencies=no\nPartOf=a.service\n[Socket]\nListenStream="
                        + folder.resolve("s"));
        stage.service("s", SLEEP);
        stage.service("a", SLEEP);
        stage.start("a");
        stage.start("s.socket");
        stage.start("s");
        assertThat(stage.restart("a")).isEqualTo(JobResult.DONE);
    }
}
