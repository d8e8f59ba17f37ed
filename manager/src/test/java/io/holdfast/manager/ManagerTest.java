package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Managers as a whole: which units they load, how they share the machine, and how they end. */
@Timeout(120)
class ManagerTest {
    @TempDir private Path folder;

    @Test
    void aBrokenLineIsToldWithItsPlaceAndTheRestWorks() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service(
                    "a",
                    "KillMode=sideways",
                    "this is no assignment",
                    "Unheard=of",
                    "ExecStart=/bin/sleep 1000");
            stage.service("b", "ExecStart=/bin/sleep 1000");

            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
            String path = folder.resolve("units/a.service").toString();
            assertThat(stage.happenings().await(path + ":5")).contains("KillMode");
            assertThat(stage.happenings().await(path + ":6")).startsWith("a.service: ");
            assertThat(stage.happenings().await(path + ":7")).contains("Unheard");
            assertThat(stage.status("a").diagnostics()).hasSize(3);
        }
    }

    @Test
    void whatAServiceLeftToUsIsReapedWhenItExits() throws Exception {
        Path number = folder.resolve("number");
        try (Stage stage = Stage.in(folder)) {
            for (int i = 0; i < 5; i++) { // surviving children do not hide it
                stage.service("alive" + i, "ExecStart=/bin/sleep 1000");
                assertThat(stage.start("alive" + i)).isEqualTo(JobResult.DONE);
            }
            stage.service(
                    "a",
                    "Type=forking",
                    "ExecStart=/bin/sh -c 'sleep 1000 & (sh -c \"echo $$$$ >%s.new; mv %s.new %s\" &)'"
                            .formatted(number, number, number));
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            Await.until(() -> Files.exists(number));
            Path process = Path.of("/proc", Files.readString(number).strip());
            Await.until(() -> Files.notExists(process));
        }
    }

    @Test
    void whatIsNotSupportedIsToldInOneLine() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service(
                    "a",
                    "RestrictFileSystems=ext4",
                    "SocketBindDeny=any",
                    "CPUAffinity=0",
                    "ExecStart=/bin/sleep 1000");
            stage.start("a");
            assertThat(stage.happenings().await("a.service: WARNING"))
                    .isEqualTo(
                            "a.service: WARNING 3 directives are not supported, 2 of them security:"
                                    + " holdfast verify "
                                    + folder.resolve("units/a.service"));
            assertThat(stage.happenings().lines())
                    .noneMatch(line -> line.contains("RestrictFileSystems"));
        }
    }

    @Test
    void aServiceThatCannotBeIsRefusedAndOthersAreNot() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service("none", "Type=simple");
            stage.service("forks", "Type=forking", "ExecStart=/bin/true");
            stage.unit("masked.service", "");
            stage.service("good", "ExecStart=/bin/sleep 1000");

            assertThat(stage.start("none")).isEqualTo(JobResult.INVALID);
            assertThat(stage.status("none").loadState()).isEqualTo("bad-setting");
            assertThat(stage.start("masked")).isEqualTo(JobResult.INVALID);
            assertThat(stage.status("masked").loadState()).isEqualTo("masked");
            assertThat(stage.start("nowhere")).isEqualTo(JobResult.INVALID);
            assertThat(stage.status("nowhere").loadState()).isEqualTo("not-found");
            assertThat(stage.start("a.socket")).isEqualTo(JobResult.INVALID);
            assertThat(stage.start("good")).isEqualTo(JobResult.DONE);
            assertThatThrownBy(() -> stage.stop("unheard-of")).hasMessageContaining("not loaded");
        }
    }

    @Test
    void whyAUnitCannotBeLoadedIsSaidOnce() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service("bad", "Type=oneshot", "ExecStart=bin/relative");
            Files.createSymbolicLink(
                    stage.unitFolder().resolve("dangling.service"), Path.of("/nowhere"));

            assertThat(stage.start("bad")).isEqualTo(JobResult.INVALID);
            assertThat(stage.start("dangling")).isEqualTo(JobResult.INVALID);

            assertThat(stage.happenings().lines())
                    .filteredOn(line -> line.startsWith("bad.service: ERROR"))
                    .singleElement()
                    .asString()
                    .contains("bin/relative");
            assertThat(stage.happenings().lines())
                    .filteredOn(line -> line.startsWith("dangling.service: "))
                    .singleElement()
                    .asString()
                    .contains("there is no such unit", "a link to a file that is missing");
            assertThat(stage.status("dangling").loadState()).isEqualTo("not-found");
        }
    }

    @Test
    void dropInsAndTemplatesMakeTheUnit() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service("a@", "ExecStart=/bin/sh -c 'echo main %%i is %i; exec sleep 1000'");
            stage.unit("a@.service.d/10.conf", "[Service]\nExecStartPre=/bin/echo all %i\n");
            stage.unit("a@one.service.d/20.conf", "[Service]\nExecStartPre=/bin/echo one\n");

            assertThat(stage.start("a@one")).isEqualTo(JobResult.DONE);
            assertThat(stage.start("a@two")).isEqualTo(JobResult.DONE);
            stage.happenings().awaitOutput("a@one.service", "main %i is one");
            stage.happenings().awaitOutput("a@two.service", "main %i is two");
            assertThat(stage.status("a@one").log()).startsWith("all one", "one");
            assertThat(stage.status("a@two").log()).startsWith("all two").doesNotContain("one");
            assertThat(stage.status("a@one").dropIns()).hasSize(2);
        }
    }

    @Test
    void aChangedFileCountsFromTheNextStartAfterADaemonReload() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service("a", "ExecStart=/bin/sh -c 'echo old; exec sleep 1000'");
            stage.start("a");
            stage.service("a", "ExecStart=/bin/sh -c 'echo new; exec sleep 1000'");
            stage.start("a");
            stage.happenings().awaitOutput("a.service", "old");
            Stage.get(stage.reloading());
            stage.restart("a");
            stage.happenings().awaitOutput("a.service", "new");
            assertThat(stage.status("a").log()).containsExactly("old", "new");
        }
    }

    @Test
    void managersWithSlicesOfTheirOwnLiveSideBySide() throws Exception {
        Path other = Files.createDirectory(folder.resolve("other"));
        try (Stage one = Stage.in(Files.createDirectory(folder.resolve("one")))) {
            one.service("a", "ExecStart=/bin/sleep 1000");
            one.start("a");
            try (Stage two = Stage.in(other)) {
                two.service("a", "ExecStart=/bin/sleep 1000");
                two.start("a");
                try (PidFd theirs = two.hold("a");
                        PidFd ours = one.hold("a")) {
                    assertThat(Stage.get(one.manager().unitOf(ours))).isPresent();
                    assertThat(Stage.get(one.manager().unitOf(theirs))).isEmpty();
                    two.stop("a");
                    assertThat(ours.isAlive()).isTrue();
                }
            }
            assertThat(one.state("a")).isEqualTo("active/running success");
        }
    }

    @Test
    void aRuntimeFolderOrASliceIsHadByOneManagerOnly() throws Exception {
        try (Stage stage = Stage.in(folder)) { // runs nothing yet
            assertBusy(
                    stage.options(folder.resolve("elsewhere"), stage.slice()),
                    "slice /",
                    "another manager uses it; choose another one: --slice");
            assertBusy(
                    stage.options(stage.runtimeDirectory(), Stage.freshSlice()),
                    stage.runtimeDirectory().toString(),
                    "another manager runs there");

            stage.service(
                    "a",
                    "Type=notify",
                    "ExecStart=" + stage.python("a", "notify('READY=1')\nsignal.pause()\n"));
            assertThat(stage.start("a")).as("undisturbed").isEqualTo(JobResult.DONE);
        }
    }

    @Test
    void aRuntimeFolderMayBeAsDeepAsItsSocketsHaveAddresses() throws Exception {
        String above = folder.toString();
        int left = ManagerOptions.MAX_RUNTIME_DIRECTORY - above.length() - 1;
        Path deepest = folder.resolve("x".repeat(left));
        Path tooDeep = folder.resolve("x".repeat(left + 1));
        try (Stage stage = Stage.in(folder)) {
            ManagerOptions options = stage.options(deepest, Stage.freshSlice());
            try (Manager manager = Manager.open(options, stage.happenings());
                    ManagerInterface _ = ManagerInterface.serve(manager, deepest)) {
                assertThat(deepest.resolve(ManagerInterface.SOCKET)).exists();
            }
            ManagerOptions refused = stage.options(tooDeep, Stage.freshSlice());
            assertThatThrownBy(() -> Manager.open(refused, stage.happenings()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(tooDeep + " has a path of 72 bytes");
            assertThat(tooDeep).doesNotExist();
        }
    }

    private static void assertBusy(ManagerOptions options, String what, String why) {
        assertThatThrownBy(() -> Manager.open(options, new Happenings()))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY))
                .hasMessageContaining(what)
                .hasMessageContaining(why);
    }

    @Test
    void processesOfAnEarlierManagerAreNotTakenOver() throws Exception {
        var slice = Stage.freshSlice();
        try (Cgroup own = Cgroup.own();
                Cgroup left = own.create(slice.text())) {
            Process process = new ProcessBuilder("/bin/sleep", "1000").start();
            try (PidFd held = PidFd.of(process)) {
                left.attach(held);
                assertThatThrownBy(() -> Stage.in(folder, slice).close())
                        .hasMessageContaining("of an earlier manager")
                        .hasMessageContaining(left.path().path() + "/cgroup.kill");
            } finally {
                process.destroyForcibly().waitFor();
            }
            assertThat(left.awaitEmpty(Duration.ofSeconds(30))).isTrue();
            left.remove();
        }
    }

    @Test
    void aHurriedEndKillsWhatRuns() throws Exception {
        Happenings happenings = new Happenings();
        UnitName a = UnitName.of("a.service");
        try (Stage stage = Stage.in(folder)) {
            stage.service(
                    "a", "ExecStart=" + stage.shell("a", "trap '' TERM; echo up; sleep 1000"));
            ManagerOptions options = stage.options(folder.resolve("hurried"), Stage.freshSlice());
            PidFd main;
            try (Manager manager = Manager.open(options, happenings)) {
                Thread thread = Thread.ofPlatform().start(manager::run);
                var ignored = Stage.get(manager.start(List.of(a)));
                happenings.awaitOutput("a.service", "up");
                main = PidFd.restore(Stage.get(manager.status(a)).mainProcess().orElseThrow());
                manager.loop().stop();
                assertThat(thread.join(Duration.ofSeconds(30))).isTrue();
            }
            try (main) {
                assertThat(main.await(Duration.ofSeconds(30)))
                        .contains(new Exit.Killed(Signal.KILL, false));
            }
        }
    }

    @Test
    void itsThreadsEndWithIt() throws Exception {
        Set<Thread> before = Set.copyOf(Stage.workers());
        try (Stage stage = Stage.in(folder)) {
            stage.service("a", "ExecStart=/bin/sleep 1000");
            stage.start("a");
        }
        assertThat(Stage.workers())
                .allMatch(thread -> before.contains(thread) || !thread.isAlive());
    }

    @Test
    void nothingIsStartedOnceItStops() throws Exception {
        try (Stage stage = Stage.in(folder)) {
            stage.service("slow", "ExecStart=/bin/sleep 1000", "ExecStop=/bin/sleep 0.3");
            stage.service("a", "ExecStart=/bin/sleep 1000");
            stage.start("slow");
            var shutdown = stage.manager().shutdown();
            var start = stage.starting("a");

            assertThatThrownBy(() -> Stage.get(start)).hasMessageContaining("stopping");
            assertThat(Stage.get(shutdown).values()).containsOnly(JobResult.DONE);
        }
    }
}
