package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The signal part of the kernel's pidfd_test, over the public API. */
@Timeout(60)
class KernelSelftestSignalTest {
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
    void aSignalToSelfArrives() throws Exception {
        AtomicInteger arrived = new AtomicInteger();
        try (EventLoop loop = EventLoop.open();
                PidFd self = PidFd.self();
                AutoCloseable _ = loop.onSignal(Signal.WINCH, arrived::incrementAndGet)) {
            assertThat(self.signal(Signal.WINCH)).isTrue();
            while (arrived.get() == 0) {
                loop.step(Duration.ofSeconds(1));
            }
        }
        assertThat(arrived).hasValue(1);
    }

    @Test
    void signalZeroOnlyAsks() {
        try (PidFd child = parent.held("child")) {
            assertThat(child.signal(new Signal(0))).isTrue();
            assertThat(child.isAlive()).isTrue();
        }
    }

    @Test
    void aSignalEndsAProcessAndTheParentLearnsWhich() {
        try (PidFd child = parent.held("child")) {
            int pid = child.pid();
            assertThat(child.signal(Signal.USR1)).isTrue();
            assertThat(parent.reap(pid)).isEqualTo(new Exit.Killed(Signal.USR1, false));
        }
    }

    @Test
    void aSignalWithAValueEndsAProcessToo() {
        try (PidFd child = parent.held("child")) {
            int pid = child.pid();
            assertThat(child.signalWithValue(Signal.of("RTMIN+1"), -1)).isTrue();
            assertThat(parent.reap(pid)).isEqualTo(new Exit.Killed(Signal.of("RTMIN+1"), false));
        }
    }

    @Test
    void aZombieSwallowsASignalAndAReapedProcessIsGone() throws Exception {
        try (PidFd child = parent.held("child", "exit=3")) {
            int pid = child.pid();
            assertThat(child.await(Duration.ofSeconds(50))).isPresent();
            assertThat(child.state()).isEqualTo(PidFd.State.EXITED);
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(parent.reap(pid)).isEqualTo(new Exit.Exited(3));
            assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
            assertThat(child.signal(new Signal(0))).isFalse();
            assertThat(child.signal(Signal.KILL)).isFalse();
            assertThat(child.signalWithValue(Signal.TERM, 1)).isFalse();
        }
    }

    @Test
    @Needs(root = true)
    void aSenderWithoutPermissionGetsEperm() throws Exception {
        try (PidFd child = parent.held("child")) {
            AsUser.nobody(() ->
                    assertThatThrownBy(() -> child.signal(Signal.KILL))
                            .isInstanceOfSatisfying(
                                    ErrnoException.class,
                                    e -> assertThat(e.errno()).isEqualTo(Errno.EPERM)));
            assertThat(child.isAlive()).isTrue();
        }
    }

    @Test
    @Needs(features = Feature.SIGNAL_SCOPE)
    void aGroupIsSignalledThroughItsLeaderOnly() {
        try (PidFd leader = parent.held("leader", "session=1", "children=1");
                PidFd other = parent.held("other")) {
            assertThatThrownBy(() -> other.signal(Signal.TERM, PidFd.Scope.PROCESS_GROUP))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH))
                    .hasMessageContaining("leads no process group");
            assertThat(leader.signal(Signal.TERM, PidFd.Scope.PROCESS_GROUP)).isTrue();
            assertThat(parent.reap(leader.pid())).isEqualTo(new Exit.Killed(Signal.TERM, false));
            assertThat(other.isAlive()).isTrue();
            assertThat(other.signal(Signal.TERM, PidFd.Scope.PROCESS)).isTrue();
        }
    }

    @Test
    @Needs(without = Feature.SIGNAL_SCOPE)
    void aScopeThatTheKernelLacksIsRefusedAndNothingIsSent() {
        try (PidFd child = parent.held("child")) {
            assertThatThrownBy(() -> child.signal(Signal.KILL, PidFd.Scope.PROCESS))
                    .isInstanceOf(NotSupportedException.class)
                    .hasMessageContaining("6.9");
            assertThat(child.isAlive()).isTrue();
        }
    }
}
