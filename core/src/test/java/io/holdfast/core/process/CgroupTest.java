package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Needs(cgroup2 = true)
@Timeout(60)
class CgroupTest {
    private static final boolean SLOW = Boolean.getBoolean("holdfast.slow"); // emulated
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    private OpenDescriptors before;
    private ScratchCgroup scratch;
    private Cgroup cgroup;

    @BeforeEach
    void create() {
        before = OpenDescriptors.now();
        scratch = ScratchCgroup.create();
        cgroup = scratch.cgroup();
    }

    @AfterEach
    void remove() {
        scratch.close();
        before.awaitSameNumber();
    }

    private static void assertErrno(int errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class,
                        e -> assertThat(Errno.name(e.errno())).isEqualTo(Errno.name(errno)));
    }

    private static Child sleeper(Cgroup cgroup) {
        return Spawn.of("sleep", "1000").stdin(Stdio.devNull()).cgroup(cgroup).start();
    }

    private static void end(Child child) throws InterruptedException {
        assertThat(child.signal(Signal.KILL)).isTrue();
        assertThat(child.await()).isEqualTo(KILLED);
        child.close();
    }

    @Test
    void aQuickLookTellsWhetherOtherProcessesAreThere() throws Exception {
        assertThat(cgroup.hasNoneBut(List.of())).isTrue();
        try (Child one = sleeper(cgroup);
                Child other = sleeper(cgroup)) {
            assertThat(cgroup.hasNoneBut(List.of(one.pidFd()))).isFalse();
            assertThat(cgroup.hasNoneBut(List.of(other.pidFd(), one.pidFd()))).isTrue();
            end(other);
            assertThat(cgroup.hasNoneBut(List.of(one.pidFd()))).isTrue();
            try (PidFd outside = PidFd.self()) {
                assertThat(cgroup.hasNoneBut(List.of(outside))).isFalse();
            }
            try (Cgroup below = cgroup.create("below")) {
                assertThat(cgroup.hasNoneBut(List.of(one.pidFd()))).isFalse();
                below.remove();
            }
            end(one);
        }
        try (Cgroup removed = cgroup.create("removed")) {
            removed.remove();
            assertThat(removed.hasNoneBut(List.of())).isFalse();
        }
    }

    @Test
    void childrenAreMadeOpenedListedAndRemoved() {
        assertThat(cgroup.childNames()).isEmpty();
        try (Cgroup a = cgroup.create("a");
                Cgroup b = cgroup.create("with blank.service");
                Cgroup deep = a.create("deep");
                Cgroup again = cgroup.create("a")) {
            assertThat(again).isEqualTo(a).hasSameHashCodeAs(a).isNotEqualTo(b);
            assertThat(cgroup.childNames()).containsExactlyInAnyOrder("a", "with blank.service");
            assertThat(deep.path().path()).isEqualTo(cgroup.path().path() + "/a/deep");
            assertThat(Path.of(scratch.folder(), "a", "deep")).isDirectory();
            try (Cgroup opened = Cgroup.open(deep.path().path());
                    Cgroup child = a.child("deep")) {
                assertThat(opened).isEqualTo(deep).isEqualTo(child);
            }
            assertErrno(Errno.EBUSY, a::remove);
            deep.remove();
            a.remove();
            assertThat(cgroup.childNames()).containsExactly("with blank.service");
            assertErrno(Errno.ENOENT, () -> cgroup.child("a"));
        }
    }

    @Test
    void whatIsNoNameIsRefused() {
        for (String name : new String[] {"", ".", "..", "a/b", "/"}) {
            assertThatIllegalArgumentException().as(name).isThrownBy(() -> cgroup.child(name));
            assertThatThrownBy(() -> cgroup.create(name))
                    .as(name)
                    .isInstanceOfAny(IllegalArgumentException.class, ErrnoException.class);
        }
        assertThat(cgroup.childNames()).isEmpty();
        assertThatThrownBy(() -> Cgroup.open("/holdfast/no such"))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("/holdfast/no such")
                .hasMessageContaining("ENOENT");
    }

    @Test
    void anIdLeadsBackToTheCgroupUntilItIsRemoved() {
        try (Cgroup child = cgroup.create("child")) {
            long id = child.id();
            try (Cgroup found = Cgroup.ofId(id)) {
                assertThat(found).isEqualTo(child);
                assertThat(found.path()).isEqualTo(child.path());
            }
            child.remove();
            assertErrno(Errno.ESTALE, () -> Cgroup.ofId(id));
            assertErrno(Errno.ENOENT, child::remove);
            try (Cgroup successor = cgroup.create("child")) {
                assertThat(successor).isNotEqualTo(child);
                assertErrno(Errno.ENOENT, child::remove); // another cgroup has the name
                assertThat(cgroup.childNames()).containsExactly("child");
            }
        }
        try (Cgroup root = Cgroup.root();
                Cgroup byId = Cgroup.ofId(root.id())) {
            assertThat(byId).isEqualTo(root);
            assertThat(byId.path().isRoot()).isTrue();
        }
    }

    @Test
    void theRootIsNeitherRemovedNorKilled() {
        try (Cgroup root = Cgroup.root()) {
            assertErrno(Errno.EBUSY, root::remove);
            assertErrno(Errno.EBUSY, root::kill);
        }
    }

    @Test
    void aRemovedCgroupIsEmptyAndRefusesEverythingElse() throws InterruptedException {
        try (Cgroup removed = cgroup.create("removed");
                PidFd self = PidFd.self()) {
            removed.remove();
            for (ThrowingCallable call :
                    List.<ThrowingCallable>of(
                            () -> removed.attach(self),
                            removed::members,
                            removed::membersBelow,
                            () -> removed.forEachMember(_ -> {}),
                            removed::kill,
                            removed::isPopulated,
                            removed::isFrozen,
                            removed::childNames,
                            () -> removed.create("child"),
                            () -> removed.child("child"),
                            () -> removed.freeze(LONG),
                            () -> removed.thaw(LONG),
                            () -> removed.awaitEmpty(LONG))) {
                assertThatThrownBy(call)
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining(removed.path().path());
            }
            assertThatThrownBy(removed::remove)
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("removed of " + cgroup);
            assertThat(removed.contains(self)).isFalse();
        }
    }

    @Test
    void aClosedCgroupSaysSo() {
        Cgroup child = cgroup.create("child");
        child.close();
        child.close();
        assertThatIllegalStateException().isThrownBy(child::members);
        assertThatIllegalStateException().isThrownBy(child::kill);
    }

    @Test
    void aChildOfOursIsMovedAndFoundThere() throws Exception {
        try (Child child = Spawn.of("sleep", "1000").start();
                Cgroup other = cgroup.create("other")) {
            assertThat(cgroup.contains(child.pidFd())).isFalse();
            cgroup.attach(child.pidFd());
            assertThat(cgroup.contains(child.pidFd())).isTrue();
            assertThat(other.contains(child.pidFd())).isFalse();
            assertThat(cgroup.isPopulated()).isTrue();
            assertThat(other.isPopulated()).isFalse();
            assertThat(child.pidFd().cgroupPath()).isEqualTo(cgroup.path());
            try (Cgroup its = child.pidFd().cgroup()) {
                assertThat(its).isEqualTo(cgroup);
            }
            other.attach(child.pidFd());
            assertThat(cgroup.contains(child.pidFd())).isFalse();
            assertThat(cgroup.isPopulated()).as("a descendant is").isTrue();
            assertErrno(Errno.EBUSY, other::remove);
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await()).isEqualTo(KILLED);
            assertErrno(Errno.ESRCH, () -> other.attach(child.pidFd()));
            assertThat(other.contains(child.pidFd())).isFalse();
            other.remove();
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void theCgroupOfAReapedProcessIsReportedUntilItIsRemoved() throws Exception {
        try (Cgroup its = cgroup.create("its");
                Child child = sleeper(its)) {
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await()).isEqualTo(KILLED);
            assertThat(child.pidFd().state()).isEqualTo(PidFd.State.REAPED);
            try (Cgroup found = child.pidFd().cgroup()) {
                assertThat(found).isEqualTo(its);
            }
            its.remove();
            assertErrno(Errno.ESTALE, () -> child.pidFd().cgroup());
        }
    }

    @Test
    @Needs(without = Feature.EXIT_INFO)
    void aReapedProcessHasNoCgroupWhereTheKernelKeepsNothingOfIt() throws Exception {
        try (Child child = sleeper(cgroup)) {
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await()).isEqualTo(KILLED);
            assertErrno(Errno.ESRCH, () -> child.pidFd().cgroup());
        }
    }

    @Test
    void aForeignProcessIsMovedToo() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd foreign = parent.held("stranger")) {
            cgroup.attach(foreign);
            assertThat(cgroup.contains(foreign)).isTrue();
        }
    }

    @Test
    void membersAreHeldAndNoneBelongsElsewhere() throws Exception {
        try (Cgroup below = cgroup.create("below");
                Child here = sleeper(cgroup);
                Child there = sleeper(below);
                Child elsewhere = Spawn.of("sleep", "1000").start()) {
            try (Members members = cgroup.members()) {
                assertThat(members).containsExactly(here.pidFd());
                assertThat(members.size()).isEqualTo(1);
            }
            try (Members members = cgroup.membersBelow()) {
                assertThat(members)
                        .containsExactlyInAnyOrder(here.pidFd(), there.pidFd())
                        .doesNotContain(elsewhere.pidFd());
            }
            List<Boolean> alive = new ArrayList<>();
            cgroup.forEachMember(member -> alive.add(member.isAlive()));
            assertThat(alive).containsExactly(true);
            end(here);
            end(there);
            end(elsewhere);
            try (Members members = cgroup.membersBelow()) {
                assertThat(members).isEmpty();
            }
        }
    }

    @Test
    void membersThatAreTakenAreTheTakersToClose() throws Exception {
        try (Child child = sleeper(cgroup)) {
            List<PidFd> taken;
            try (Members members = cgroup.members()) {
                taken = members.take();
                assertThat(members.size()).isZero();
            }
            assertThat(taken).containsExactly(child.pidFd());
            assertThat(taken.getFirst().isAlive()).isTrue();
            taken.forEach(PidFd::close);
            end(child);
        }
    }

    @Test
    void zombiesAreNoMembers() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("zombie", "cgroup=" + scratch.folder())) {
            assertThat(cgroup.contains(zombie)).isTrue();
            assertThat(zombie.signal(Signal.KILL)).isTrue();
            assertThat(Readiness.await(zombie.fd(), Readiness.IN)).isNotZero();
            assertThat(cgroup.awaitEmpty(LONG)).isTrue();
            try (Members members = cgroup.members()) {
                assertThat(members).isEmpty();
            }
        }
    }

    @Test
    void whileProcessesForkEveryMemberFoundIsTheirs() throws Exception {
        Spawn forking =
                Spawn.of(
                                "perl",
                                "-e",
                                // each parent keeps its last five children: none lives long, and
                                // many live just as long as the search takes
                                "$SIG{CHLD} = 'IGNORE'; my @last; "
                                        + "while (1) { my $p = fork; if (!$p) { sleep } "
                                        + "push @last, $p; kill 9, shift @last if @last > 5; "
                                        + "select undef, undef, undef, $ARGV[0] }",
                                SLOW ? "0.05" : "0")
                        .stdin(Stdio.devNull());
        try (Cgroup below = cgroup.create("below");
                Child one = forking.cgroup(cgroup).start();
                Child two = forking.cgroup(below).start();
                PidFd self = PidFd.self()) {
            Set<Integer> seen = new HashSet<>();
            while (seen.size() < (SLOW ? 50 : 500)) {
                try (Members members = cgroup.membersBelow()) {
                    for (PidFd member : members) {
                        assertThat(member).isNotEqualTo(self);
                        try {
                            seen.add(member.pid());
                            assertThat(member.proc().cgroup()).startsWith(cgroup.path().path());
                        } catch (ErrnoException e) {
                            assertThat(e.errno()).isEqualTo(Errno.ESRCH);
                        }
                    }
                }
            }
            cgroup.kill();
            assertThat(one.await()).isEqualTo(KILLED);
            assertThat(two.await()).isEqualTo(KILLED);
            assertThat(cgroup.awaitEmpty(LONG)).isTrue();
        }
    }

    @Test
    void aKillEndsEveryProcessHereAndBelow() throws Exception {
        try (Cgroup below = cgroup.create("below");
                Child here = sleeper(cgroup);
                Child there = sleeper(below);
                Child elsewhere = Spawn.of("sleep", "1000").start()) {
            cgroup.kill();
            assertThat(here.await()).isEqualTo(KILLED);
            assertThat(there.await()).isEqualTo(KILLED);
            assertThat(cgroup.awaitEmpty(LONG)).isTrue();
            assertThat(cgroup.isPopulated()).isFalse();
            assertThat(elsewhere.pidFd().isAlive()).isTrue();
            end(elsewhere);
            cgroup.kill(); // no process is left
        }
    }

    @Test
    void aCgroupThatWasKilledTakesChildrenAsBefore() throws Exception {
        try (Cgroup below = cgroup.create("below")) {
            for (int i = 0; i < 3; i++) {
                cgroup.kill();
                for (Cgroup target : List.of(cgroup, below)) {
                    String said =
                            SpawnTest.output(Spawn.of("cat", "/proc/self/cgroup").cgroup(target));
                    assertThat(said.lines()).contains("0::" + target.path().path());
                    List<Boolean> inTarget = new ArrayList<>();
                    String held =
                            SpawnTest.output(
                                    Spawn.of("sh", "-c", "ulimit -Sn; cat /proc/$$/cgroup")
                                            .cgroup(target)
                                            .whileHeld(child -> {
                                                inTarget.add(target.contains(child.pidFd()));
                                                child.limit(Resource.NOFILE, 77, 77);
                                            }));
                    assertThat(held.lines())
                            .startsWith("77")
                            .contains("0::" + target.path().path());
                    assertThat(inTarget).containsExactly(true);
                }
            }
        }
    }

    @Test
    void aForkBombDoesNotOutrunTheKill() throws Exception {
        for (int round = 0; round < 10; round++) {
            Spawn bomb =
                    Spawn.of(
                                    "perl",
                                    "-e",
                                    "$SIG{CHLD} = 'IGNORE'; $| = 1; print 'x'; "
                                            + "while (1) { my $p = fork; if ($p) { exit 0 } }")
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.pipe())
                            .cgroup(cgroup);
            try (Child first = bomb.start();
                    Child second = bomb.start()) {
                assertThat(first.stdout().read()).isEqualTo('x');
                assertThat(second.stdout().read()).isEqualTo('x');
                cgroup.kill();
                assertThat(cgroup.awaitEmpty(LONG)).isTrue();
                try (Members members = cgroup.members()) {
                    assertThat(members).isEmpty();
                }
                assertThat(first.await()).isInstanceOf(Exit.class);
                assertThat(second.await()).isInstanceOf(Exit.class);
            }
        }
    }

    @Test
    void theFrozenStandAndAreThawed() throws Exception {
        try (Child counter =
                Spawn.of("perl", "-e", "$| = 1; print 'x' while 1")
                        .stdout(Stdio.pipe())
                        .cgroup(cgroup)
                        .start()) {
            assertThat(counter.stdout().read()).isEqualTo('x');
            assertThat(cgroup.isFrozen()).isFalse();
            assertThat(cgroup.freeze(LONG)).isTrue();
            assertThat(cgroup.isFrozen()).isTrue();
            byte[] rest = new byte[1 << 16];
            FutureTask<Void> drain =
                    new FutureTask<>(() -> {
                        for (; ; ) {
                            int ignored = counter.stdout().read(rest, 0, rest.length);
                        }
                    });
            Thread drainer = Thread.startVirtualThread(drain);
            Await.parked(drainer); // the pipe is empty, and no process writes
            drainer.interrupt();
            drainer.join();
            assertThat(cgroup.thaw(LONG)).isTrue();
            assertThat(cgroup.isFrozen()).isFalse();
            assertThat(counter.stdout().read()).isEqualTo('x');
            end(counter);
        }
    }

    @Test
    void theFrozenAreKilledToo() throws Exception {
        try (Cgroup below = cgroup.create("below");
                Child child = sleeper(below)) {
            assertThat(cgroup.freeze(LONG)).isTrue();
            cgroup.kill();
            assertThat(child.await()).isEqualTo(KILLED);
            assertThat(cgroup.awaitEmpty(LONG)).isTrue();
            assertThat(cgroup.thaw(LONG)).isTrue();
        }
    }

    @Test
    void anEmptyCgroupIsFrozenAndThawedAtOnce() throws InterruptedException {
        assertThat(cgroup.freeze(LONG)).isTrue();
        assertThat(cgroup.freeze(Duration.ZERO)).isTrue();
        assertThat(cgroup.thaw(LONG)).isTrue();
    }

    @Test
    void aWaitForEmptyEndsWithTheLastProcessAndWithItsTime() throws Exception {
        assertThat(cgroup.awaitEmpty(Duration.ZERO)).isTrue();
        try (Cgroup below = cgroup.create("below")) {
            Child first = sleeper(cgroup);
            Child second = sleeper(below);
            assertThat(cgroup.awaitEmpty(Duration.ofMillis(5))).isFalse();
            FutureTask<Boolean> waiter =
                    new FutureTask<>(() -> cgroup.awaitEmpty(Duration.ofSeconds(Long.MAX_VALUE)));
            Await.parked(Thread.startVirtualThread(waiter));
            end(first);
            assertThat(waiter.isDone()).isFalse();
            end(second);
            assertThat(waiter.get()).isTrue();
        }
    }

    @Test
    void aLoopIsNotifiedOnceThatItIsEmpty() throws Exception {
        List<String> events = new ArrayList<>();
        try (EventLoop loop = EventLoop.open()) {
            AutoCloseable atOnce = cgroup.onEmpty(loop, () -> events.add("empty already"));
            while (events.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            atOnce.close();
            Child first = sleeper(cgroup);
            Child second = sleeper(cgroup);
            AutoCloseable watch = cgroup.onEmpty(loop, () -> events.add("empty"));
            AutoCloseable given = cgroup.onEmpty(loop, () -> events.add("never"));
            given.close();
            given.close();
            int first1 = loop.step(Duration.ZERO);
            assertThat(first1).isNotNegative();
            end(first);
            int between = loop.step(Duration.ZERO);
            assertThat(between).isNotNegative();
            assertThat(events).containsExactly("empty already");
            end(second);
            while (events.size() < 2) {
                int ignored = loop.step(LONG);
            }
            Child third = sleeper(cgroup);
            end(third);
            int after = loop.step(Duration.ZERO);
            assertThat(after).isNotNegative();
            assertThat(events).containsExactly("empty already", "empty");
            watch.close();
        }
    }

    @Test
    void aCgroupRemovedWhileWatchedIsEmpty() throws Exception {
        List<String> events = new ArrayList<>();
        try (EventLoop loop = EventLoop.open();
                Cgroup child = cgroup.create("child")) {
            AutoCloseable watch = child.onEmpty(loop, () -> events.add("empty"));
            child.remove();
            while (events.isEmpty()) {
                int ignored = loop.step(LONG);
            }
            watch.close();
        }
        assertThat(events).containsExactly("empty");
    }

    @Test
    void removeAllTakesTheDescendantsToo() {
        Cgroup tree = cgroup.create("tree");
        try (Cgroup a = tree.create("a");
                Cgroup b = a.create("b");
                Cgroup c = tree.create("c")) {
            assertThat(tree.childNames()).containsExactlyInAnyOrder("a", "c");
            assertThat(b.path().path()).endsWith("/a/b");
            assertThat(c.childNames()).isEmpty();
        }
        tree.removeAll();
        tree.close();
        assertThat(cgroup.childNames()).isEmpty();
    }

    /** The tree is deeper than a recursive walk could go with its descriptors or its stack. */
    @Test
    @Timeout(300) // the kernel makes cgroups one by one for the whole machine
    void aTreeOfAnyDepthIsSearchedKilledAndRemoved() throws Exception {
        int depth = 1000; // the time grows with its square
        Cgroup deepest = cgroup.create("d");
        for (int i = 1; i < depth; i++) {
            Cgroup next = deepest.create("d");
            deepest.close();
            deepest = next;
        }
        try (Child child = sleeper(deepest)) {
            FutureTask<Integer> found =
                    new FutureTask<>(() -> {
                        try (Members members = cgroup.membersBelow()) {
                            assertThat(members)
                                    .allSatisfy(m -> assertThat(m).isEqualTo(child.pidFd()));
                            return members.size();
                        }
                    });
            onSmallStack(found);
            assertThat(found.get()).isEqualTo(1);
            cgroup.kill();
            assertThat(child.await()).isEqualTo(KILLED);
        }
        deepest.close();
        assertThat(cgroup.awaitEmpty(LONG)).isTrue();
        try (Cgroup top = cgroup.child("d")) {
            FutureTask<Void> removal = new FutureTask<>(top::removeAll, null);
            onSmallStack(removal);
            removal.get();
        }
        assertThat(cgroup.childNames()).isEmpty();
    }

    private static void onSmallStack(FutureTask<?> task) {
        int bytes = 200_000;
        new Thread(null, task, "on a small stack", bytes).start();
    }

    @Test
    void theHierarchyIsWhereItIsMounted() {
        assertThat(Cgroup.isMounted()).isTrue();
        assertThat(Path.of(Cgroup.mountPoint(), "cgroup.procs")).satisfies(Files::exists);
        assertThat(cgroup.path().path()).startsWith("/holdfast-test-");
        assertThat(cgroup).hasToString("cgroup " + cgroup.path().path());
    }
}
