package io.holdfast.manager.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProcessIndexTest {
    private static final UnitName SLICE = UnitName.of("system.slice");

    @TempDir private static Path folder;
    private final ProcessIndex index = new ProcessIndex(folder.resolve("processes"));
    private final Workload a = run("a.service", "1", CgroupPath.ROOT);
    private final Workload b = run("b.service", "2", CgroupPath.ROOT);
    private final Child parent =
            Spawn.of("sh", "-c", "sleep 1000; :").stdin(Stdio.devNull()).start();

    private static Workload run(String unit, String digit, CgroupPath cgroup) {
        return new Workload(UnitName.of(unit), digit.repeat(32), SLICE, cgroup);
    }

    @AfterEach
    void end() throws InterruptedException {
        try (PidFd child = childOf(parent)) {
            boolean _ = child.signal(Signal.KILL);
        }
        boolean _ = parent.signal(Signal.KILL);
        var _ = parent.await();
        parent.close();
    }

    private static PidFd childOf(Child parent) {
        int pid = parent.pidFd().pid();
        Path children = Path.of("/proc/" + pid + "/task/" + pid + "/children");
        Await.until(() -> !read(children).isEmpty());
        return PidFd.open(Integer.parseInt(read(children)));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).trim();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aProcessBelongsToTheRunThatHoldsItUntilThatDropsIt() {
        index.enter(a, OptionalLong.empty());
        index.hold(parent.pidFd(), a);

        try (PidFd same = parent.pidFd().duplicate()) {
            assertThat(index.ownerOf(same)).contains(a);
            assertThat(index.starterOf(same)).contains(a);
            assertThat(index.isHeld(same)).isTrue();

            index.drop(parent.pidFd(), a);

            assertThat(index.ownerOf(same)).isEmpty();
            assertThat(index.isHeld(same)).isFalse();
        }
    }

    @Test
    void aProcessThatTwoRunsHoldBelongsToTheFirstUntilThatDropsIt() {
        index.hold(parent.pidFd(), a);
        index.hold(parent.pidFd(), b);
        assertThat(index.ownerOf(parent.pidFd())).contains(a);

        index.drop(parent.pidFd(), a);

        assertThat(index.ownerOf(parent.pidFd())).contains(b);
        assertThat(index.starterOf(parent.pidFd())).contains(b);
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void aLinkNamesTheUnitOfAProcessOfARunWithoutACgroup() throws Exception {
        Path link = folder.resolve("processes/" + Long.toUnsignedString(parent.pidFd().id()));
        Workload inCgroup = run("c.service", "3", new CgroupPath("/c.service"));
        index.hold(parent.pidFd(), inCgroup);
        assertThat(link).doesNotExist();
        index.hold(parent.pidFd(), a);
        index.drop(parent.pidFd(), inCgroup);
        assertThat(Files.readSymbolicLink(link)).hasToString("a.service");

        index.drop(parent.pidFd(), a);
        assertThat(Files.readSymbolicLink(link)).as("for late messages").hasToString("a.service");

        index.close();
        assertThat(link.getParent()).doesNotExist();
    }

    @Test
    void descendantsBelongToARunWithoutACgroup() {
        index.enter(a, OptionalLong.empty());
        index.hold(parent.pidFd(), a);

        try (PidFd child = childOf(parent)) {
            assertThat(index.ownerOf(child)).contains(a);
            assertThat(index.starterOf(child)).contains(a);
            assertThat(index.isHeld(child)).isFalse();
        }
    }

    @Test
    void whatAnAdoptedOrphanStartsBelongsToTheRunButIsNotCertain() {
        index.enter(a, OptionalLong.empty());
        index.adopt(parent.pidFd(), a);

        try (PidFd child = childOf(parent)) {
            assertThat(index.ownerOf(child)).contains(a);
            assertThat(index.starterOf(child)).isEmpty();
        }
        assertThat(index.ownerOf(parent.pidFd())).contains(a);
        assertThat(index.starterOf(parent.pidFd())).isEmpty();
    }

    @Test
    void descendantsOfARunWithACgroupBelongToItByThatAlone() {
        index.enter(
                run("c.service", "3", new CgroupPath("/nowhere")), OptionalLong.of(Long.MAX_VALUE));
        index.hold(parent.pidFd(), run("c.service", "3", new CgroupPath("/nowhere")));

        try (PidFd child = childOf(parent)) {
            assertThat(index.ownerOf(child)).isEmpty();
            assertThat(index.starterOf(child)).isEmpty();
        }
    }

    @Test
    void aRunIsFoundByItsInvocationUntilItEnds() {
        index.enter(a, OptionalLong.empty());
        index.enter(b, OptionalLong.empty());

        index.leave(a);

        assertThat(index.ofInvocation(a.invocationId())).isEmpty();
        assertThat(index.ofInvocation(b.invocationId())).contains(b);
    }

    @Test
    void aSpawnIsUnderWayUntilTheLastIsOver() {
        index.spawning(a, true);
        index.spawning(b, true);
        index.spawning(a, false);
        assertThat(index.isAnySpawning()).isTrue();

        index.leave(b);

        assertThat(index.isAnySpawning()).isFalse();
    }

    @Test
    void aRunThatEndsLeavesTheCgroupToTheNextOne() {
        CgroupPath place = new CgroupPath("/x/a.service");
        Workload first = run("a.service", "1", place);
        Workload second = run("a.service", "2", place);
        index.enter(first, OptionalLong.of(7));
        index.enter(second, OptionalLong.of(7));

        index.leave(first);
        assertThat(index.ofCgroup(7)).contains(second);

        index.leave(second);
        assertThat(index.ofCgroup(7)).isEmpty();
    }

    @Test
    void nothingIsLeftWhenAllHaveGone() {
        Workload inCgroup = run("c.service", "3", new CgroupPath("/x/c.service"));
        index.enter(a, OptionalLong.empty());
        index.enter(inCgroup, OptionalLong.of(7));
        index.hold(parent.pidFd(), a);
        index.spawning(a, true);

        index.drop(parent.pidFd(), a);
        index.leave(a);
        index.leave(inCgroup);

        assertThat(index.isEmpty()).isTrue();
    }

    @Test
    @Needs(cgroup2 = true)
    void whatIsInACgroupOrBelowItBelongsToItsRun() throws InterruptedException {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup own = scratch.cgroup().create("a.service");
                Cgroup below = own.create("below");
                Cgroup beside = scratch.cgroup().create("beside")) {
            Workload run = run("a.service", "1", own.path());
            index.enter(run, OptionalLong.of(own.id()));
            Child within = sleeper(own);
            Child deeper = sleeper(below);
            Child other = sleeper(beside);

            assertThat(index.ownerOf(within.pidFd())).contains(run);
            assertThat(index.ownerOf(deeper.pidFd())).contains(run);
            assertThat(index.ownerOf(other.pidFd())).isEmpty();
            assertThat(index.at(below.path())).contains(run);
            assertThat(index.at(beside.path())).isEmpty();

            end(within);
            end(deeper);
            end(other);
            beside.remove();
            own.removeAll();
        }
    }

    @Test
    @Needs(cgroup2 = true)
    void theNameOfACgroupThatWasMadeAgainIsNotBelieved() {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup own = scratch.cgroup().create("a.service")) {
            index.enter(run("a.service", "1", own.path()), OptionalLong.of(own.id()));
            own.remove();
            try (Cgroup again = scratch.cgroup().create("a.service")) {
                assertThat(index.at(again.path())).isEmpty();
                again.remove();
            }
        }
    }

    private static Child sleeper(Cgroup cgroup) {
        return Spawn.of("sleep", "1000").stdin(Stdio.devNull()).cgroup(cgroup).start();
    }

    private static void end(Child child) throws InterruptedException {
        boolean _ = child.signal(Signal.KILL);
        var _ = child.await();
        child.close();
    }
}
