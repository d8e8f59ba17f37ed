package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.time.Duration;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The kernel's pidfd_info_test, and the part of pidfd_autoreap_test that is visible through a
 * pidfd.
 */
@Timeout(120)
class KernelSelftestInfoTest {
    private static final Duration LIMIT = Duration.ofSeconds(100);

    /** The time to wait for an event that must not come. */
    private static final Duration NO_EVENT = Duration.ofMillis(500);

    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    private ForeignParent parent;

    @BeforeEach
    void startParent() {
        parent = ForeignParent.start();
    }

    @AfterEach
    void endParent() {
        parent.close();
    }

    @Test
    void aZombieHasCredentialsAndNoExit() throws Exception {
        try (PidFd child = parent.held("child")) {
            int pid = child.pid();
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await(LIMIT)).isPresent();
            ProcessInfo info = child.info();
            assertThat(info.pid()).hasValue(pid);
            assertThat(info.ppid()).hasValue(parent.pid());
            assertThat(info.credentials()).isPresent();
            assertThat(info.exit()).isEmpty();
            assertThat(info.coreDump()).isEmpty();
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void aReapedProcessHasAnExitAndNothingThatPassesForAlive() {
        try (PidFd killed = parent.held("killed");
                PidFd exited = parent.held("exited", "exit=0")) {
            assertThat(killed.signal(Signal.KILL)).isTrue();
            parent.reap(killed.pid());
            parent.reap(exited.pid());
            assertThat(killed.info().exit()).hasValue(KILLED);
            assertThat(exited.info().exit()).hasValue(new Exit.Exited(0));
            for (PidFd reaped : new PidFd[] {killed, exited}) {
                assertThat(reaped.state()).isEqualTo(PidFd.State.REAPED);
                assertThat(reaped.info().pid()).isEmpty();
                assertThat(reaped.info().tgid()).isEmpty();
                assertThat(reaped.info().ppid()).isEmpty();
                assertThat(reaped.info().credentials()).isEmpty();
            }
        }
    }

    @Test
    void aReapedProcessHasNoAttributesOnAnyKernel() {
        try (PidFd child = parent.held("child", "exit=5")) {
            parent.reap(child.pid());
            ProcessInfo info = child.info();
            assertThat(info.pid()).isEmpty();
            assertThat(info.credentials()).isEmpty();
            assertThat(info.exit())
                    .hasValue(
                            Feature.EXIT_INFO.isPresent()
                                    ? new Exit.Exited(5)
                                    : new Exit.Unknown());
            gone(() -> child.proc().commandLine());
            gone(() -> child.proc().startTime());
            gone(() -> child.proc().executable());
            gone(child::parent);
            gone(child::pid);
        }
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            features = {Feature.EXIT_INFO})
    void theLastCgroupOfAReapedProcessIsKnown() {
        try (var scratch = io.holdfast.core.testkit.ScratchCgroup.create();
                PidFd child = parent.held("child", "cgroup=" + scratch.folder())) {
            assertThat(child.info().cgroupId()).hasValue(scratch.cgroup().id());
            assertThat(child.signal(Signal.KILL)).isTrue();
            parent.reap(child.pid());
            assertThat(child.info().cgroupId()).hasValue(scratch.cgroup().id());
        }
    }

    @Test
    @Needs(root = true, userNamespaces = true, features = Feature.EXIT_INFO)
    void theExitOfAProcessInItsOwnNamespacesIsReported() {
        String flags = "flags=" + (Clone.NEWUSER | Clone.NEWPID);
        try (PidFd exited = parent.held("exited", flags, "exit=0");
                PidFd killed = parent.held("killed", flags)) {
            parent.reap(exited.pid());
            assertThat(exited.info().exit()).hasValue(new Exit.Exited(0));
            assertThat(killed.signal(Signal.KILL)).isTrue();
            parent.reap(killed.pid());
            assertThat(killed.info().exit()).hasValue(KILLED);
        }
    }

    @Test
    @Needs(root = true)
    void anyoneMayAskWhoAProcessIs() throws Exception {
        try (PidFd child = parent.held("child", "uid=12345")) {
            AsUser.nobody(() -> {
                Credentials ids = child.info().credentials().orElseThrow();
                assertThat(ids)
                        .isEqualTo(
                                new Credentials(
                                        12345, 12345, 12345, 12345, 12345, 12345, 12345, 12345));
                assertThat(child.parent().orElseThrow().pid()).isEqualTo(parent.pid());
            });
        }
    }

    @Test
    @Needs(
            programs = "gcc",
            features = {Feature.PIDFD_THREAD, Feature.PIDFD_INFO})
    void aLeaderThatExitsFirstEndsNothing() throws Exception {
        ForeignParent.Program threads = threads("leader-exits");
        try (PidFd process = PidFd.open(threads.pid());
                PidFd leader = PidFd.openThread(threads.pid());
                PidFd other = PidFd.openThread(Integer.parseInt(threads.said()))) {
            assertThat(other.isThread()).isTrue();
            assertThat(other.info().pid()).hasValue(Integer.parseInt(threads.said()));
            assertThat(other.info().tgid()).hasValue(threads.pid());
            assertThat(leader.await(NO_EVENT)).isEmpty();
            for (PidFd held : new PidFd[] {process, leader}) {
                assertThat(held.state()).isEqualTo(PidFd.State.ALIVE);
                assertThat(held.info().pid()).hasValue(threads.pid());
                assertThat(held.info().credentials()).isPresent();
                assertThat(held.info().exit()).isEmpty();
            }
        }
    }

    @Test
    @Needs(
            programs = "gcc",
            features = {Feature.PIDFD_THREAD, Feature.EXIT_INFO})
    void theKillOfAGroupIsTheExitOfEachOfItsThreads() throws Exception {
        ForeignParent.Program threads = threads("leader-exits");
        try (PidFd process = PidFd.open(threads.pid());
                PidFd leader = PidFd.openThread(threads.pid());
                PidFd other = PidFd.openThread(Integer.parseInt(threads.said()))) {
            assertThat(process.signal(Signal.KILL)).isTrue();
            assertThat(parent.reap(threads.pid())).isEqualTo(KILLED);
            for (PidFd held : new PidFd[] {process, leader, other}) {
                assertThat(held.await(LIMIT)).as("%s", held).hasValue(KILLED);
                assertThat(held.info().exit()).hasValue(KILLED);
                assertThat(held.state()).isEqualTo(PidFd.State.REAPED);
            }
        }
    }

    @Test
    @Needs(
            programs = "gcc",
            features = {Feature.PIDFD_THREAD, Feature.EXIT_INFO})
    void aThreadThatExecutesAnotherProgramEndsAndTheProcessDoesNot() throws Exception {
        for (String how : new String[] {"leader-stays", "leader-exits"}) {
            ForeignParent.Program threads = threads(how);
            try (PidFd process = PidFd.open(threads.pid());
                    PidFd leader = PidFd.openThread(threads.pid());
                    PidFd other = PidFd.openThread(Integer.parseInt(threads.said()))) {
                assertThat(process.signal(Signal.USR2)).isTrue();
                assertThat(other.await(LIMIT)).as(how).hasValue(new Exit.Exited(0));
                assertThat(process.await(NO_EVENT)).as(how).isEmpty();
                assertThat(leader.state()).isEqualTo(PidFd.State.ALIVE);
                assertThat(process.info().pid()).hasValue(threads.pid());
                assertThat(process.signal(Signal.KILL)).isTrue();
                assertThat(process.await(LIMIT)).as("a zombie has no exit").isPresent();
                assertThat(process.state()).isEqualTo(PidFd.State.EXITED);
                assertThat(parent.reap(threads.pid())).isEqualTo(KILLED);
                assertThat(process.info().exit()).hasValue(KILLED);
            }
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void theStatusOfAnAutoreapedChildIsKnown() throws Exception {
        PidFd child;
        try {
            child = parent.held("child", "flags=" + Clone.AUTOREAP, "signal=0");
        } catch (ErrnoException e) {
            assumeThat(e.errno()).as("needs CLONE_AUTOREAP (Linux 7.1)").isNotEqualTo(Errno.EINVAL);
            throw e;
        }
        try (child) {
            assertThat(child.signal(Signal.TERM)).isTrue();
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.TERM, false));
            assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
        }
    }

    private static void gone(ThrowableAssert.ThrowingCallable call) {
        org.assertj.core.api.Assertions.assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    }

    private ForeignParent.Program threads(String leader) {
        return parent.program(
                "threads", "exec=" + CProgram.of(getClass(), "threads.c") + "," + leader);
    }
}
