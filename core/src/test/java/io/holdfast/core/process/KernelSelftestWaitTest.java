package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.CProgram;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's pidfd_poll_test, pidfd_wait and the waiting part of pidfd_test. */
@Timeout(120)
class KernelSelftestWaitTest {
    /** In the long suite, as many rounds as the kernel's own test. */
    private static final int ROUNDS = Boolean.getBoolean("holdfast.long") ? 10_000 : 300;

    /** Enough to see the race several times over. */
    private static final int EXECS = Math.max(900, ROUNDS);

    private static final Duration LIMIT = Duration.ofSeconds(100);

    /** The time to wait for an event that must not come. */
    private static final Duration NO_EVENT = Duration.ofMillis(200);

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
    void everyKillIsSeenInManyRounds() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            try (PidFd child = parent.held("round-" + round)) {
                int pid = child.pid();
                assertThat(child.isAlive()).isTrue();
                assertThat(child.signal(Signal.KILL)).isTrue();
                assertThat(parent.reap(pid)).isEqualTo(new Exit.Killed(Signal.KILL, false));
                Exit exit = child.await(LIMIT).orElseThrow();
                assertThat(exit).isEqualTo(knownToStrangers(new Exit.Killed(Signal.KILL, false)));
                assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
            }
        }
    }

    @Test
    void theStatusOfOurOwnChildIsKnownOnEveryKernel() throws Exception {
        try (Child exits = Spawn.of("sh", "-c", "exit 42").start();
                Child killed = Spawn.of("sleep", "1000").start()) {
            assertThat(exits.await(LIMIT)).hasValue(new Exit.Exited(42));
            assertThat(killed.signal(Signal.KILL)).isTrue();
            assertThat(killed.await(LIMIT)).hasValue(new Exit.Killed(Signal.KILL, false));
        }
    }

    @Test
    void stoppingAndContinuingIsNoExit() throws Exception {
        try (PidFd child = parent.held("child")) {
            int pid = child.pid();
            for (int i = 0; i < 3; i++) {
                assertThat(child.signal(Signal.STOP)).isTrue();
                assertThat(child.await(NO_EVENT)).isEmpty();
                assertThat(child.state()).isEqualTo(PidFd.State.ALIVE);
                assertThat(child.signal(Signal.CONT)).isTrue();
                assertThat(child.await(NO_EVENT)).isEmpty();
            }
            assertThat(child.signal(Signal.STOP)).isTrue();
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(parent.reap(pid)).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(child.await(LIMIT)).isPresent();
        }
    }

    @Test
    void whatIsNotOurChildIsNotReaped() throws Exception {
        try (PidFd self = PidFd.self();
                PidFd foreign = parent.held("child", "exit=1")) {
            assertThat(foreign.await(LIMIT)).isPresent();
            for (PidFd process : new PidFd[] {self, foreign}) {
                assertThatThrownBy(process::reap)
                        .isInstanceOfSatisfying(
                                ErrnoException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.ECHILD));
            }
            assertThat(foreign.state()).isEqualTo(PidFd.State.EXITED);
        }
    }

    @Test
    void aLivingChildOfOursIsNotReaped() throws Exception {
        try (Child child = Spawn.of("sleep", "1000").start()) {
            assertThat(child.pidFd().reap()).isEmpty();
            assertThat(child.pidFd().isAlive()).isTrue();
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await(LIMIT)).isPresent();
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void theStatusOfAChildThatTheKernelReapsIsStillKnown() throws Exception {
        parent.ignoreChildren();
        try (PidFd child = parent.held("child")) {
            assertThat(child.signal(Signal.TERM)).isTrue();
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.TERM, false));
        }
    }

    @Test
    void aChildThatTheKernelReapsHasEndedOnEveryKernel() throws Exception {
        parent.ignoreChildren();
        try (PidFd child = parent.held("child")) {
            assertThat(child.signal(Signal.TERM)).isTrue();
            assertThat(child.await(LIMIT).orElseThrow())
                    .isEqualTo(knownToStrangers(new Exit.Killed(Signal.TERM, false)));
            Await.until(() -> child.state() == PidFd.State.REAPED); // the reap follows the exit
        }
    }

    @Test
    @Needs(programs = "gcc")
    void aProcessLivesUntilItsLastThreadHasEnded() throws Exception {
        ForeignParent.Program threads = threads("leader-exits");
        try (PidFd process = PidFd.open(threads.pid())) {
            assertThat(process.await(NO_EVENT)).isEmpty();
            assertThat(process.state()).isEqualTo(PidFd.State.ALIVE);
            assertThat(process.signal(Signal.USR1)).isTrue();
            assertThat(parent.reap(threads.pid())).isEqualTo(new Exit.Exited(7));
            assertThat(process.await(LIMIT).orElseThrow())
                    .isEqualTo(knownToStrangers(new Exit.Exited(7)));
        }
    }

    @Test
    @Needs(programs = "gcc")
    void anExecOfAnotherThreadIsNoExit() throws Exception {
        for (String leader : new String[] {"leader-stays", "leader-exits"}) {
            ForeignParent.Program threads = threads(leader);
            try (PidFd process = PidFd.open(threads.pid())) {
                assertThat(process.signal(Signal.USR2)).isTrue();
                while (!process.proc().name().equals("sleep")) {
                    assertThat(process.await(Duration.ofMillis(10))).as(leader).isEmpty();
                }
                assertThat(process.await(NO_EVENT)).as(leader).isEmpty();
                assertThat(process.pid()).isEqualTo(threads.pid());
                assertThat(process.signal(Signal.TERM)).isTrue();
                assertThat(parent.reap(threads.pid()))
                        .isEqualTo(new Exit.Killed(Signal.TERM, false));
                assertThat(process.await(LIMIT).orElseThrow())
                        .isEqualTo(knownToStrangers(new Exit.Killed(Signal.TERM, false)));
            }
        }
    }

    /** An exec gives the process's PID to another thread while its directory is being opened. */
    @Test
    @Needs(programs = "gcc")
    void aProcessIsReadableWhileItsThreadsExecute() throws Exception {
        ForeignParent.Program threads = threads("again," + EXECS);
        try (PidFd process = PidFd.open(threads.pid())) {
            assertThat(process.signal(Signal.USR2)).isTrue();
            while (!process.proc().name().equals("sleep")) {
                assertThat(process.isAlive()).isTrue();
            }
        }
    }

    private ForeignParent.Program threads(String leader) {
        return parent.program(
                "threads", "exec=" + CProgram.of(getClass(), "threads.c") + "," + leader);
    }

    private static Exit knownToStrangers(Exit exit) {
        return Feature.EXIT_INFO.isPresent() ? exit : new Exit.Unknown();
    }
}
