package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's cgroup tests: test_core, test_kill and test_freezer. */
@Timeout(120)
@Needs(root = true, cgroup2 = true)
class KernelSelftestCgroupTest {
    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final Duration NO_EVENT = Duration.ofMillis(200);
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    private ForeignParent parent;
    private ScratchCgroup scratch;
    private Cgroup cgroup;

    @BeforeEach
    void makeCgroup() {
        parent = ForeignParent.start();
        scratch = ScratchCgroup.create();
        cgroup = scratch.cgroup();
    }

    @AfterEach
    void removeCgroup() {
        parent.close();
        scratch.close();
    }

    @Test
    void theIdOfACgroupFindsItAgainUntilItIsRemoved() {
        long id;
        try (Cgroup child = cgroup.create("child");
                Cgroup again = Cgroup.ofId(child.id())) {
            id = child.id();
            assertThat(again).isEqualTo(child);
            assertThat(again.path()).isEqualTo(child.path());
            child.remove();
        }
        assertThatThrownBy(() -> Cgroup.ofId(id))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESTALE));
    }

    @Test
    void aChildIsBornInItsCgroupAndPopulatesIt() throws Exception {
        assertThat(cgroup.isPopulated()).isFalse();
        try (Child child = Spawn.of("sleep", "1000").cgroup(cgroup).start()) {
            assertThat(cgroup.contains(child.pidFd())).isTrue();
            assertThat(cgroup.isPopulated()).isTrue();
            assertThat(child.pidFd().info().cgroupId()).hasValue(cgroup.id());
            assertThat(child.pidFd().cgroupPath()).isEqualTo(cgroup.path());
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await(LIMIT)).hasValue(KILLED);
            assertThat(cgroup.awaitEmpty(LIMIT)).isTrue();
            assertThat(cgroup.isPopulated()).isFalse();
        }
    }

    @Test
    void aLoopIsNotifiedWhenACgroupGetsEmpty() throws Exception {
        AtomicBoolean empty = new AtomicBoolean();
        try (EventLoop loop = EventLoop.open();
                Child child = Spawn.of("sleep", "1000").cgroup(cgroup).start();
                AutoCloseable _ = cgroup.onEmpty(loop, () -> empty.set(true))) {
            loop.step(Duration.ZERO);
            assertThat(empty).isFalse();
            assertThat(child.signal(Signal.KILL)).isTrue();
            while (!empty.get()) {
                loop.step(Duration.ofSeconds(1));
            }
            assertThat(cgroup.isPopulated()).isFalse();
        }
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void zombiesNeitherPopulateNorHoldACgroup() throws Exception {
        Cgroup inner = cgroup.create("zombies");
        try (inner;
                PidFd zombie = parent.held("zombie", "cgroup=" + scratch.folder() + "/zombies")) {
            assertThat(inner.members()).hasSize(1);
            assertThat(zombie.signal(Signal.KILL)).isTrue();
            assertThat(zombie.await(LIMIT)).isPresent();
            assertThat(inner.awaitEmpty(LIMIT)).isTrue();
            assertThat(inner.members()).isEmpty();
            inner.remove();
            assertThat(zombie.state()).isEqualTo(PidFd.State.EXITED);
        }
    }

    @Test
    void aCgroupWithProcessesOrChildrenIsNotRemoved() {
        try (PidFd _ = parent.held("child", "cgroup=" + scratch.folder());
                Cgroup outer = cgroup.create("outer");
                Cgroup _ = outer.create("inner")) {
            refused(Errno.EBUSY, cgroup::remove);
            refused(Errno.EBUSY, outer::remove);
        }
    }

    @Test
    void aProcessMovesByItsPidfd() {
        try (PidFd child = parent.held("child");
                Cgroup elsewhere = cgroup.create("elsewhere")) {
            assertThat(cgroup.contains(child)).isFalse();
            cgroup.attach(child);
            assertThat(cgroup.contains(child)).isTrue();
            elsewhere.attach(child);
            assertThat(cgroup.contains(child)).isFalse();
            assertThat(elsewhere.contains(child)).isTrue();
            try (Members members = elsewhere.members()) {
                assertThat(members).containsExactly(child);
            }
        }
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void whoMayNotWriteACgroupNeitherMovesNorSpawnsThere() throws Exception {
        try (PidFd child = parent.held("child")) {
            AsUser.nobody(() -> refused(Errno.EACCES, () -> cgroup.attach(child)));
            AsUser.nobody(() -> refused(Errno.EACCES, () -> cgroup.create("child").close()));
            assertThat(cgroup.members()).isEmpty();
        }
    }

    @Test
    @Needs(disposableMachine = true)
    void aCgroupThatHandsOutAControllerTakesNoProcess() {
        try (Cgroup root = Cgroup.root()) {
            assertThat(KernelFile.write(root.fd(), "cgroup.subtree_control", "+memory")).isZero();
        }
        assertThat(KernelFile.write(cgroup.fd(), "cgroup.subtree_control", "+memory")).isZero();
        try (PidFd child = parent.held("child")) {
            refused(Errno.EBUSY, () -> cgroup.attach(child));
            refused(Errno.EBUSY, () -> Spawn.of("true").cgroup(cgroup).start().close());
        }
    }

    @Test
    void killEndsEveryProcessBelow() throws Exception {
        try (Cgroup deep = cgroup.create("a");
                Cgroup deeper = deep.create("b");
                PidFd top = parent.held("top", "cgroup=" + scratch.folder(), "children=3");
                PidFd low = parent.held("low", "cgroup=" + scratch.folder() + "/a/b")) {
            assertThat(deeper.isPopulated()).isTrue();
            try (Members all = cgroup.membersBelow()) {
                assertThat(all).hasSize(5).contains(top, low);
            }
            cgroup.kill();
            assertThat(cgroup.awaitEmpty(LIMIT)).isTrue();
            assertThat(parent.reap(top.pid())).isEqualTo(KILLED);
            assertThat(parent.reap(low.pid())).isEqualTo(KILLED);
        }
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void killEndsProcessesThatForkAllTheTime() throws Exception {
        String[] options = {"cgroup=" + scratch.folder(), "relay=1000000"};
        try (PidFd _ = parent.held("one", options);
                PidFd _ = parent.held("two", options);
                PidFd _ = parent.held("three", options)) {
            assertThat(cgroup.isPopulated()).isTrue();
            cgroup.kill();
            assertThat(cgroup.awaitEmpty(LIMIT)).isTrue();
            assertThat(cgroup.members()).isEmpty();
        }
    }

    @Test
    @SuppressWarnings("MustBeClosed")
    void aThreadedCgroupIsNotKilledNorListed() {
        try (Cgroup threaded = cgroup.create("threaded")) {
            assertThat(KernelFile.write(threaded.fd(), "cgroup.type", "threaded")).isZero();
            if (Feature.CGROUP_KILL.isPresent()) {
                refused(Errno.EOPNOTSUPP, threaded::kill);
            }
            refused(Errno.EOPNOTSUPP, () -> threaded.members().close());
            threaded.remove();
        }
    }

    @Test
    void frozenIsConfirmedAndThawedToo() throws Exception {
        try (PidFd child = parent.held("child", "cgroup=" + scratch.folder())) {
            assertThat(cgroup.freeze(LIMIT)).isTrue();
            assertThat(cgroup.isFrozen()).isTrue();
            assertThat(child.isAlive()).isTrue();
            assertThat(cgroup.thaw(LIMIT)).isTrue();
            assertThat(cgroup.isFrozen()).isFalse();
        }
    }

    @Test
    void processesThatForkAllTheTimeAreFrozenToo() throws Exception {
        try (PidFd _ = parent.held("one", "cgroup=" + scratch.folder(), "relay=1000000")) {
            assertThat(cgroup.freeze(LIMIT)).isTrue();
            try (Members before = cgroup.members();
                    Members after = cgroup.members()) {
                assertThat(after).hasSameElementsAs(before).isNotEmpty();
            }
        }
    }

    @Test
    void aFrozenProcessIsKilled() throws Exception {
        try (PidFd child = parent.held("child", "cgroup=" + scratch.folder())) {
            assertThat(cgroup.freeze(LIMIT)).isTrue();
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(parent.reap(child.pid())).isEqualTo(KILLED);
        }
    }

    @Test
    void aWholeFrozenCgroupIsKilled() throws Exception {
        try (PidFd child = parent.held("child", "cgroup=" + scratch.folder(), "children=2")) {
            assertThat(cgroup.freeze(LIMIT)).isTrue();
            cgroup.kill();
            assertThat(cgroup.awaitEmpty(LIMIT)).isTrue();
            assertThat(parent.reap(child.pid())).isEqualTo(KILLED);
        }
    }

    @Test
    void aProcessThatMovesIntoAFrozenCgroupFreezesAndOneThatLeavesThaws() throws Exception {
        try (Cgroup warm = cgroup.create("warm");
                Cgroup cold = cgroup.create("cold");
                PidFd child = parent.held("child", "cgroup=" + scratch.folder() + "/warm")) {
            assertThat(cold.freeze(LIMIT)).isTrue();
            cold.attach(child);
            assertThat(cold.freeze(LIMIT)).isTrue(); // waits for the new member, too
            assertThat(child.signal(Signal.USR1)).isTrue();
            warm.attach(child);
            assertThat(parent.reap(child.pid())).isEqualTo(new Exit.Killed(Signal.USR1, false));
        }
    }

    @Test
    void anAncestorThatIsFrozenFreezesAllBelow() throws Exception {
        try (Cgroup below = cgroup.create("below");
                PidFd child = parent.held("child", "cgroup=" + scratch.folder() + "/below")) {
            assertThat(cgroup.freeze(LIMIT)).isTrue();
            assertThat(below.isFrozen()).isTrue();
            assertThat(below.thaw(NO_EVENT)).as("the ancestor holds it").isFalse();
            assertThat(child.isAlive()).isTrue();
            assertThat(cgroup.thaw(LIMIT)).isTrue();
            assertThat(below.isFrozen()).isFalse();
        }
    }

    private static void refused(
            int errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
