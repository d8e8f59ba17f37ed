package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.process.SysPrctl;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A scope holds all processes that are started in it and ends them, by each mechanism. */
@Timeout(60)
@Needs(cgroup2 = true, root = true)
class ProcessScopeTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    @TempDir Path folder;

    private static ProcessScope open(Guarantee guarantee) {
        return ProcessScope.open(ScopeOptions.standard().withName("test"), guarantee);
    }

    private static Spawn sleeper() {
        return Spawn.of("sleep", "1000");
    }

    @ParameterizedTest
    @EnumSource
    void aDescendantThatForkedTwiceAndBeganASessionIsHeldAndEnded(Guarantee guarantee)
            throws Exception {
        endsTheDaemon(guarantee, Descendants.daemon(folder.resolve("pid")));
    }

    @ParameterizedTest
    @EnumSource
    void soIsOneWithoutItsEnvironment(Guarantee guarantee) throws Exception {
        endsTheDaemon(guarantee, Descendants.daemonWithoutEnvironment(folder.resolve("pid")));
    }

    private void endsTheDaemon(Guarantee guarantee, Spawn starting) throws Exception {
        PidFd daemon;
        try (ProcessScope scope = open(guarantee)) {
            assertThat(scope.guarantee()).isEqualTo(guarantee);
            try (Child child = scope.start(starting)) {
                assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            }
            daemon = Descendants.written(folder.resolve("pid"));
            try (Members members = scope.members()) {
                assertThat(members).contains(daemon);
            }
            assertThat(scope.isEmpty()).isFalse();
        }
        try (daemon) {
            assertThat(daemon.await(LONG)).isPresent();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStormOfDaemonsIsEnded(Guarantee guarantee) {
        Path running = folder.resolve("running");
        Spawn storm = Descendants.storm(running);
        String tag = Descendants.tag(storm);
        try (ProcessScope scope = open(guarantee);
                Child _ = scope.start(storm)) {
            Await.until(() -> Descendants.tagged(tag).size() > 20);

            scope.kill();

            assertThat(scope.isEmpty()).isTrue();
            assertThat(Descendants.tagged(tag)).isEmpty();
        }
        Await.until(() -> Descendants.zombies().isEmpty());
    }

    @Test
    @Needs(programs = "perl")
    void noForkEscapesACgroup() {
        endsTheRelay(Guarantee.CGROUP, Descendants.relay(folder.resolve("running"), 3, 1));
    }

    @Test
    @Needs(programs = "perl")
    void whatForksAndExitsIsEndedWithoutACgroup() {
        endsTheRelay(Guarantee.SUBREAPER, Descendants.relay(folder.resolve("running"), 1, 20));
    }

    private void endsTheRelay(Guarantee guarantee, Spawn relay) {
        Path running = folder.resolve("running");
        String group;
        try (ProcessScope scope = open(guarantee);
                Child _ = scope.start(relay)) {
            Descendants.awaitWritten(running);
            group = Descendants.text(running).strip();
            assertThat(Descendants.isGroupLeft(group)).isTrue();

            scope.kill();

            assertThat(scope.isEmpty()).isTrue();
        }
        Await.until(() -> !Descendants.isGroupLeft(group)); // no zombies are left either
    }

    @ParameterizedTest
    @EnumSource
    void twoScopesNeverTouchEachOthersProcesses(Guarantee guarantee) throws Exception {
        try (ProcessScope other = open(guarantee);
                ProcessScope scope = open(guarantee);
                Child sibling = other.start(sleeper());
                Child child = scope.start(sleeper())) {
            var _ = other.start(Descendants.daemon(folder.resolve("other")));
            var _ = scope.start(Descendants.daemon(folder.resolve("scope")));
            try (PidFd daemon = Descendants.written(folder.resolve("scope"));
                    PidFd otherDaemon = Descendants.written(folder.resolve("other"))) {
                Await.until(() -> count(scope) == 2 && count(other) == 2);

                scope.kill();

                assertThat(daemon.await(LONG)).isPresent();
                assertThat(child.await(LONG)).isPresent();
                assertThat(otherDaemon.isAlive()).isTrue();
                assertThat(sibling.pidFd().isAlive()).isTrue();
                assertThat(count(other)).isEqualTo(2);
            }
        }
    }

    private static int count(ProcessScope scope) {
        try (Members members = scope.members()) {
            return members.size();
        }
    }

    @ParameterizedTest
    @EnumSource
    void childrenOfOthersInThisJvmAreNotTouched(Guarantee guarantee) throws Exception {
        Path file = folder.resolve("pid");
        Process process = new ProcessBuilder("sleep", "1000").start();
        Process answering = new ProcessBuilder("sh", "-c", "read x; exit 7").start();
        PidFd orphan = null;
        try (Child plain = sleeper().start()) {
            try (ProcessScope scope = open(guarantee)) {
                String script = "(setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' &)";
                new ProcessBuilder("sh", "-c", script).start().waitFor();
                orphan = Descendants.written(file);
                try (Child child = scope.start(sleeper())) {
                    assertThat(count(scope)).isEqualTo(1);
                    assertThat(child.pidFd().isAlive()).isTrue();
                }
                answering.getOutputStream().close();
                assertThat(answering.waitFor()).isEqualTo(7);
            }
            assertThat(process.isAlive()).isTrue();
            assertThat(orphan.isAlive()).isTrue();
            assertThat(plain.pidFd().isAlive()).isTrue();
            boolean _ = plain.signal(Signal.KILL);
        } finally {
            process.destroyForcibly().waitFor();
            if (orphan != null) {
                end(orphan, guarantee);
            }
        }
    }

    /** Ends an orphan that the subreaper has adopted and must not touch. */
    private static void end(PidFd orphan, Guarantee guarantee) throws InterruptedException {
        try (orphan) {
            boolean _ = orphan.signal(Signal.KILL);
            var _ = orphan.await();
            if (guarantee == Guarantee.SUBREAPER) {
                assertThat(orphan.reap()).contains(new Exit.Killed(Signal.KILL, false));
            }
        }
    }

    @Test
    void orphansOfAScopeAreReapedWhileItIsOpen() throws Exception {
        try (ProcessScope scope = open(Guarantee.SUBREAPER)) {
            String script = "for i in 1 2 3 4 5 6; do (env -i setsid true &); done";
            try (Child child = scope.start(Descendants.shell(script))) {
                assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            }
            Await.until(() -> Descendants.zombies().isEmpty());
            assertThat(scope.awaitEmpty(LONG)).isTrue();
        }
        assertThat(Descendants.zombies()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aDeadlineEndsTheScope(Guarantee guarantee) throws Exception {
        ScopeOptions options = ScopeOptions.standard().withDeadline(Duration.ofMillis(50));
        try (ProcessScope scope = ProcessScope.open(options, guarantee)) {
            try {
                Child child = scope.start(sleeper());
                assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
                child.close();
            } catch (IllegalStateException e) {
                // slow machine: the deadline passed first
            }
            assertThat(scope.isOverdue()).isTrue();
            assertThatIllegalStateException()
                    .isThrownBy(() -> scope.start(sleeper()))
                    .withMessageContaining("deadline");
        }
        ProcessScope inTime =
                ProcessScope.open(options.withDeadline(Duration.ofDays(9)), guarantee);
        inTime.close();
        assertThat(inTime.isOverdue()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsLeftOfAStartThatRacesWithAKill(Guarantee guarantee) throws Exception {
        for (int i = 0; i < 10; i++) {
            Spawn spawn = Descendants.shell("(setsid sleep 1000 &) ; sleep 1000");
            String tag = Descendants.tag(spawn);
            try (ProcessScope scope = open(guarantee)) {
                CompletableFuture<?>[] starters = new CompletableFuture<?>[3];
                for (int n = 0; n < starters.length; n++) {
                    starters[n] = CompletableFuture.runAsync(() -> startUntilRefused(scope, spawn));
                }
                int wanted = i % 4;
                Await.until(() -> count(scope) >= wanted);
                scope.kill();
                assertThat(Descendants.tagged(tag)).isEmpty();
                CompletableFuture.allOf(starters).get(50, TimeUnit.SECONDS);
            }
            assertThat(Descendants.tagged(tag)).isEmpty();
        }
        Await.until(() -> Descendants.zombies().isEmpty());
    }

    private static void startUntilRefused(ProcessScope scope, Spawn spawn) {
        try {
            while (true) {
                scope.start(spawn).close();
            }
        } catch (IllegalStateException e) {
            assertThat(e).hasMessageContaining("starts nothing any more");
        }
    }

    @ParameterizedTest
    @EnumSource
    void anEmptyScopeIsReportedWhenItIsEmpty(Guarantee guarantee) throws Exception {
        try (ProcessScope scope = open(guarantee)) {
            assertThat(scope.isEmpty()).isTrue();
            assertThat(scope.onEmpty()).succeedsWithin(LONG);
            try (Child child = scope.start(Spawn.of("cat").stdin(Stdio.pipe()))) {
                CompletableFuture<Void> empty = scope.onEmpty();
                assertThat(scope.awaitEmpty(Duration.ofMillis(1))).isFalse();
                assertThat(empty).isNotDone();
                child.stdin().close();
                assertThat(empty).succeedsWithin(LONG);
                assertThat(scope.awaitEmpty(Duration.ZERO)).isTrue();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSignalReachesEveryMember(Guarantee guarantee) throws Exception {
        try (ProcessScope scope = open(guarantee);
                Child one = scope.start(sleeper());
                Child two = scope.start(sleeper())) {
            assertThat(scope.signal(Signal.USR1)).isEqualTo(2);
            assertThat(one.await()).isEqualTo(new Exit.Killed(Signal.USR1, false));
            assertThat(two.await()).isEqualTo(new Exit.Killed(Signal.USR1, false));
            assertThat(scope.signal(Signal.USR1)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource
    void nothingIsLeftBehind(Guarantee guarantee) throws Exception {
        boolean subreaper = SysPrctl.isChildSubreaper();
        open(guarantee).close(); // opens what stays open
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 5; i++) {
            try (ProcessScope scope = open(guarantee);
                    Child child = scope.start(Descendants.shell("(setsid sleep 1000 &)"))) {
                var _ = child.await();
            }
        }
        before.awaitSameNumber();
        assertThat(SysPrctl.isChildSubreaper()).isEqualTo(subreaper);
        Await.until(() -> Descendants.zombies().isEmpty());
        assertThat(ownCgroups()).isEmpty();
    }

    private static List<String> ownCgroups() {
        String mine = "-" + ProcessHandle.current().pid() + ".";
        try (Cgroup own = Cgroup.own()) {
            return own.childNames().stream()
                    .filter(name -> name.startsWith(ScopeName.PREFIX) && name.contains(mine))
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aClosedScopeIsEmptyAndStartsNothing(Guarantee guarantee) throws Exception {
        ProcessScope scope = open(guarantee);
        scope.close();
        scope.close();
        scope.kill();

        assertThat(scope.isEmpty()).isTrue();
        assertThat(scope.awaitEmpty(LONG)).isTrue();
        assertThat(scope.signal(Signal.TERM)).isZero();
        assertThat(count(scope)).isZero();
        assertThatIllegalStateException()
                .isThrownBy(() -> scope.start(sleeper()))
                .withMessageContaining("closed");
    }

    @Test
    void cgroupsThatAProgramMakesAreRemovedWithTheScope() throws Exception {
        String path;
        try (ProcessScope scope = open(Guarantee.CGROUP)) {
            try (Child child = scope.start(sleeper())) {
                path = Cgroup.mountPoint() + child.pidFd().cgroupPath().path();
            }
            Files.createDirectories(Path.of(path, "a", "b"));
            try (Child inner =
                    scope.start(
                            Descendants.shell(
                                    "echo $$ > " + path + "/a/b/cgroup.procs; exec sleep 1000"))) {
                Await.until(() -> inner.pidFd().cgroupPath().path().endsWith("/a/b"));
                assertThat(count(scope)).isEqualTo(2);
            }
        }
        assertThat(Path.of(path)).doesNotExist();
    }

    @Test
    void aScopeWhoseCgroupWasRemovedIsEmpty() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (ProcessScope scope = open(Guarantee.CGROUP)) {
            Path path;
            try (Child child = scope.start(sleeper())) {
                path = Path.of(Cgroup.mountPoint() + child.pidFd().cgroupPath().path());
                scope.kill();
            }
            Files.delete(path);

            assertThat(scope.isEmpty()).isTrue();
            assertThat(scope.awaitEmpty(LONG)).isTrue();
            assertThat(count(scope)).isZero();
            scope.kill();
        }
        before.awaitSameNumber();
    }

    @Test
    void theCgroupHasTheNameForPeople() throws Exception {
        ScopeOptions options = ScopeOptions.standard().withName("build of a/b").requireCgroup();
        try (ProcessScope scope = ProcessScope.open(options);
                Child child = scope.start(sleeper())) {
            assertThat(child.pidFd().cgroupPath().path())
                    .matches(
                            ".*/holdfast-scope-build\\\\x20of\\\\x20a\\\\x2fb-%d\\.[0-9]+\\.[0-9]+-[0-9a-f]+"
                                    .formatted(ProcessHandle.current().pid()));
            assertThat(scope).hasToString("scope build of a/b (" + id(child) + ")");
        }
    }

    private static String id(Child child) {
        String path = child.pidFd().cgroupPath().path();
        return path.substring(path.lastIndexOf('-') + 1);
    }

    @Test
    void aSpawnWithACgroupOfItsOwnIsRefused() {
        try (ProcessScope scope = open(Guarantee.CGROUP);
                Cgroup other = Cgroup.own()) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> scope.start(sleeper().cgroup(other)));
        }
    }

    @Test
    void aSpawnWhoseOwnerReapsItIsRefused() {
        try (ProcessScope scope = open(Guarantee.CGROUP)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> scope.start(sleeper().reapLater()))
                    .withMessageContaining("reaped later");
        }
    }
}
