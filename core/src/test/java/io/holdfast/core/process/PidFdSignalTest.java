package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class PidFdSignalTest {
    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    @Test
    void aSignalReachesItsProcessAndNoOther() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd first = parent.held("first");
                PidFd second = parent.held("second")) {
            assertThat(first.signal(new Signal(0))).isTrue();
            assertThat(first.signal(Signal.TERM)).isTrue();
            assertThat(parent.reap(first.pid())).isEqualTo(new Exit.Killed(Signal.TERM, false));
            assertThat(second.isAlive()).isTrue();
        }
    }

    @Test
    void anExitedProcessIsNotSignalled() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child", "exit=0")) {
            int number = child.pid();
            assertThat(Readiness.await(child.fd(), Readiness.IN)).isNotZero();
            assertThat(child.signal(Signal.KILL)).as("a zombie swallows it").isTrue();
            assertThat(parent.reap(number)).isEqualTo(new Exit.Exited(0));
            assertThat(child.signal(Signal.KILL)).isFalse();
            assertThat(child.signal(new Signal(0))).isFalse();
            assertThat(child.signalWithValue(Signal.KILL, 1)).isFalse();
        }
    }

    @Test
    @Needs(features = Feature.SIGNAL_SCOPE)
    void aGroupIsSignalledThroughItsLeader() throws Exception {
        try (Child leader =
                        Spawn.of("sh", "-c", "sleep 1000 & echo $!; exec sleep 1000")
                                .newProcessGroup()
                                .stdout(Stdio.pipe())
                                .start();
                BufferedReader said = linesOf(leader)) {
            try (PidFd member = PidFd.open(Integer.parseInt(said.readLine()))) {
                assertThat(leader.pidFd().signal(Signal.TERM, PidFd.Scope.PROCESS_GROUP)).isTrue();
                assertThat(leader.await()).isEqualTo(new Exit.Killed(Signal.TERM, false));
                assertThat(member.await()).isInstanceOf(Exit.class);
                assertThat(member.isAlive()).isFalse();
            }
        }
    }

    @Test
    @Needs(features = Feature.SIGNAL_SCOPE)
    void theScopeOfAProcessIsTheProcessAlone() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            assertThatThrownBy(() -> child.signal(Signal.TERM, PidFd.Scope.PROCESS_GROUP))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("leads no process group");
            assertThatThrownBy(
                            () -> child.signalWithValue(Signal.TERM, 1, PidFd.Scope.PROCESS_GROUP))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("leads no process group");
            assertThat(child.isAlive()).isTrue();
            assertThat(child.signal(Signal.TERM, PidFd.Scope.PROCESS)).isTrue();
            assertThat(parent.reap(child.pid())).isEqualTo(new Exit.Killed(Signal.TERM, false));
            for (PidFd.Scope scope : PidFd.Scope.values()) {
                assertThat(child.signal(Signal.TERM, scope)).isFalse();
                assertThat(child.signalWithValue(Signal.TERM, 1, scope)).isFalse();
            }
        }
    }

    @Test
    @Needs(without = Feature.SIGNAL_SCOPE)
    void withoutScopesTheyAreRefusedAndNothingIsSent() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            for (PidFd.Scope scope : PidFd.Scope.values()) {
                assertThatThrownBy(() -> child.signal(Signal.KILL, scope))
                        .isInstanceOf(NotSupportedException.class)
                        .hasMessageContaining("Linux 6.9");
                assertThatThrownBy(() -> child.signalWithValue(Signal.KILL, 1, scope))
                        .isInstanceOf(NotSupportedException.class)
                        .hasMessageContaining("Linux 6.9");
            }
            assertThat(child.isAlive()).isTrue();
        }
    }

    private static final long VALUE = 0xFEDCBA9876543210L;

    /** Returns the output of {@code sigvalue.c} after it has received the signal. */
    private static String arrived() {
        return "35 -1 " + ProcessHandle.current().pid() + " fedcba9876543210";
    }

    private static String sigvalue() {
        return CProgram.of(PidFdSignalTest.class, "sigvalue.c").toString();
    }

    private static BufferedReader linesOf(Child child) {
        return new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.UTF_8));
    }

    @Test
    @Needs(programs = "gcc")
    void aValueArrivesWhole() throws Exception {
        try (Child child = Spawn.of(sigvalue()).stdout(Stdio.pipe()).start();
                BufferedReader said = linesOf(child)) {
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(child.pidFd().signalWithValue(new Signal(35), VALUE)).isTrue();
            assertThat(said.readLine()).isEqualTo(arrived());
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "THREAD,        SigPnd, ShdPnd",
        "PROCESS,       ShdPnd, SigPnd",
        "PROCESS_GROUP, ShdPnd, SigPnd",
    })
    @Needs(programs = "gcc", features = Feature.SIGNAL_SCOPE)
    void aValueGoesToTheThreadOrToTheProcess(PidFd.Scope scope, String where, String notWhere)
            throws Exception {
        try (Child child =
                        Spawn.of(sigvalue(), "later")
                                .newProcessGroup()
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .start();
                BufferedReader said = linesOf(child)) {
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(child.pidFd().signalWithValue(new Signal(35), VALUE, scope)).isTrue();
            String status = child.pidFd().proc().status();
            assertThat(Long.parseUnsignedLong(Proc.field(status, where), 16)).isEqualTo(1L << 34);
            assertThat(Long.parseUnsignedLong(Proc.field(status, notWhere), 16)).isZero();
            child.stdin().close();
            assertThat(said.readLine()).isEqualTo(arrived());
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    @Needs(programs = "gcc", features = Feature.SIGNAL_SCOPE)
    void aValueReachesEachMemberOfAGroup() throws Exception {
        try (Child leader =
                        Spawn.of("sh", "-c", "\"$0\" & exec \"$0\"", sigvalue())
                                .newProcessGroup()
                                .stdout(Stdio.pipe())
                                .start();
                BufferedReader said = linesOf(leader)) {
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(said.readLine()).isEqualTo("ready");
            assertThat(
                            leader.pidFd()
                                    .signalWithValue(
                                            new Signal(35), VALUE, PidFd.Scope.PROCESS_GROUP))
                    .isTrue();
            assertThat(said.lines()).containsExactly(arrived(), arrived());
            assertThat(leader.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    @Needs(features = Feature.PIDFD_THREAD)
    void aThreadIsHeldByItself() throws Exception {
        CompletableFuture<Integer> tid = new CompletableFuture<>();
        CountDownLatch over = new CountDownLatch(1);
        Thread thread =
                Thread.ofPlatform()
                        .start(() -> {
                            tid.complete(Unistd.gettid());
                            try {
                                over.await();
                            } catch (InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        try (PidFd held = PidFd.openThread(tid.get());
                PidFd self = PidFd.self()) {
            assertThat(held.isThread()).isTrue();
            assertThat(self.isThread()).isFalse();
            assertThat(held.pid()).isEqualTo(tid.get());
            assertThat(held.info().tgid()).hasValue((int) ProcessHandle.current().pid());
            assertThat(held).isNotEqualTo(self);
            assertThat(held.isAlive()).isTrue();
            assertThat(held.signal(new Signal(0))).isTrue();
            assertThatIllegalStateException()
                    .isThrownBy(held::processId)
                    .withMessageContaining("held as a thread");
            if (Feature.SIGNAL_SCOPE.isPresent()) {
                assertThat(held.signal(new Signal(0), PidFd.Scope.THREAD)).isTrue();
            }
            assertThatThrownBy(held::reap).hasMessageContaining("ECHILD");
            over.countDown();
            thread.join();
            assertThat(held.await()).isInstanceOf(Exit.class);
            assertThat(held.isAlive()).isFalse();
            assertThat(held.signal(new Signal(0))).isFalse();
        }
        assertThatThrownBy(() -> PidFd.openThread(tid.get()))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ESRCH");
    }

    @Test
    @Needs(features = Feature.PIDFD_THREAD)
    void aProcessHeldByItsLeaderIsTheSameProcess() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child");
                PidFd leader = PidFd.openThread(child.pid())) {
            assertThat(leader).isEqualTo(child).hasSameHashCodeAs(child);
            assertThat(leader.isThread()).isTrue();
            assertThat(child.isThread()).isFalse();
            assertThat(leader.info().tgid()).isEqualTo(child.info().tgid());
            assertThat(leader.signal(Signal.KILL)).isTrue();
            Exit unreaped = leader.await();
            assertThat(child.await()).isEqualTo(unreaped);
            assertThat(leader.state()).isEqualTo(child.state()).isEqualTo(PidFd.State.EXITED);
        }
    }

    @Test
    @Needs(without = Feature.PIDFD_THREAD)
    void withoutThreadPidfdsTheyAreRefused() {
        assertThatThrownBy(() -> PidFd.openThread(1))
                .isInstanceOf(NotSupportedException.class)
                .hasMessageContaining("Linux 6.9");
    }
}
