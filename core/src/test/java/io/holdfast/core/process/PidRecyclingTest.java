package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * PIDs are recycled by force, again and again. Code that identifies processes by PID, or by PID and
 * start time, is fooled; no operation of Holdfast is.
 */
@Timeout(300)
@Needs(root = true)
class PidRecyclingTest {
    private static final boolean SLOW = Boolean.getBoolean("holdfast.slow"); // emulated
    private static final int RECYCLINGS = SLOW ? 100 : 1_000;
    private static final int RACES = SLOW ? 50 : 300;
    private static final Duration LIMIT = Duration.ofSeconds(100);
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);
    private static final Exit TERMINATED = new Exit.Killed(Signal.TERM, false);

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
    void numbersAndStartTimesAreFooledAndPidfdsAreNot() throws Exception {
        int fooledHandles = 0;
        int recycled = 0;
        while (recycled < RECYCLINGS) {
            int number = parent.child("victim");
            ProcessHandle handle = ProcessHandle.of(number).orElseThrow();
            try (PidFd victim = PidFd.open(number)) {
                Known known = Known.of(victim);
                if (!parent.recycle(number, "successor")) {
                    continue; // another process got the PID
                }
                recycled++;
                try (PidFd successor = PidFd.open(number)) {
                    assertNotFooled(victim, known, successor);
                    boolean handleFooled =
                            handle.isAlive() && handle.equals(ProcessHandle.of(number).get());
                    fails(handleFooled ? Errno.ECHILD : Errno.ESRCH, () -> PidFd.of(handle));
                    if (handleFooled) {
                        fooledHandles++;
                        assertThat(handle.destroyForcibly()).isTrue();
                        assertThat(parent.reap(number)).as("the wrong one").isEqualTo(KILLED);
                    } else {
                        assertThat(parent.kill(number, Signal.TERM)).isTrue();
                        assertThat(parent.reap(number)).as("the wrong one").isEqualTo(TERMINATED);
                    }
                }
            }
        }
        if (!SLOW) { // 10 ms are not enough under emulation
            assertThat(fooledHandles)
                    .as("process handles that took the successor for the victim")
                    .isPositive();
        }
    }

    /** What was known about a process while it lived. */
    private record Known(int number, Optional<Long> id, ProcessId name) {
        static Known of(PidFd process) {
            ProcessId name = process.processId();
            assertThat(process.proc().commandLine()).containsExactly("victim");
            return new Known(
                    process.pid(),
                    name.pidfdId().isPresent()
                            ? Optional.of(name.pidfdId().getAsLong())
                            : Optional.empty(),
                    name);
        }
    }

    private static void assertNotFooled(PidFd victim, Known known, PidFd successor)
            throws Exception {
        assertThat(successor.proc().commandLine()).containsExactly("successor");
        assertThat(successor.pid()).isEqualTo(known.number);

        assertThat(victim.state()).isEqualTo(PidFd.State.REAPED);
        assertThat(victim.isAlive()).isFalse();
        assertThat(victim).isNotEqualTo(successor);
        assertThat(successor).isNotEqualTo(victim);
        assertThat(victim.signal(new Signal(0))).isFalse();
        assertThat(victim.signal(Signal.KILL)).isFalse();
        assertThat(victim.signalWithValue(Signal.KILL, 1)).isFalse();
        if (Feature.SIGNAL_SCOPE.isPresent()) {
            for (PidFd.Scope scope : PidFd.Scope.values()) {
                assertThat(victim.signal(Signal.KILL, scope)).isFalse();
                assertThat(victim.signalWithValue(Signal.KILL, 1, scope)).isFalse();
            }
        }
        Exit expected = Feature.EXIT_INFO.isPresent() ? KILLED : new Exit.Unknown();
        assertThat(victim.await(LIMIT)).hasValue(expected);
        assertThat(victim.await()).isEqualTo(expected);
        assertThat(victim.onExit().get()).isEqualTo(expected);
        assertThat(exitOnALoop(victim)).isEqualTo(expected);
        fails(Errno.ECHILD, victim::reap);

        ProcessInfo info = victim.info();
        assertThat(info.exit()).hasValue(expected);
        assertThat(info.pid()).isEmpty();
        assertThat(info.tgid()).isEmpty();
        assertThat(info.ppid()).isEmpty();
        assertThat(info.credentials()).isEmpty();

        gone(victim::pid);
        gone(victim::processId);
        gone(victim::parent);
        gone(victim::cgroupPath);
        gone(() -> victim.getFd(0).close());
        for (Namespace.Kind kind : Namespace.Kind.values()) {
            gone(() -> victim.namespace(kind).close());
        }
        Proc proc = victim.proc();
        gone(proc::commandLine);
        gone(proc::executable);
        gone(proc::environment);
        gone(proc::directory);
        gone(proc::name);
        gone(proc::noNewPrivileges);
        gone(proc::effectiveCapabilities);
        gone(proc::groups);
        gone(proc::startTime);
        gone(proc::startTicks);
        gone(proc::session);
        gone(proc::terminal);
        gone(proc::cgroup);

        if (known.id.isPresent()) {
            long id = known.id.get();
            assertThat(victim.id()).isEqualTo(id).isNotEqualTo(successor.id());
            gone(() -> PidFd.open(known.number, id));
            gone(() -> PidFd.restore(known.name));
        }
        try (PidFd copy = victim.duplicate();
                PidFd adopted = PidFd.adopt(victim.fd().duplicate())) {
            for (PidFd same : List.of(copy, adopted)) {
                assertThat(same.state()).isEqualTo(PidFd.State.REAPED);
                assertThat(same.signal(Signal.KILL)).isFalse();
                assertThat(same).isNotEqualTo(successor);
                gone(same::pid);
            }
        }
        assertThat(successor.isAlive()).as("nothing of all that has touched it").isTrue();
    }

    private static Exit exitOnALoop(PidFd process) throws Exception {
        List<Exit> exits = new ArrayList<>();
        try (EventLoop loop = EventLoop.open();
                AutoCloseable _ = process.onExit(loop, exits::add)) {
            while (exits.isEmpty()) {
                loop.step(LIMIT);
            }
        }
        return exits.getFirst();
    }

    private static void gone(ThrowingCallable operation) {
        fails(Errno.ESRCH, operation);
    }

    private static void fails(int errno, ThrowingCallable operation) {
        assertThatThrownBy(operation)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void whatIsReadWhileANumberIsRecycledIsNeverTheSuccessors() throws Exception {
        Set<String> commands = ConcurrentHashMap.newKeySet();
        Set<Long> users = ConcurrentHashMap.newKeySet();
        Set<Throwable> failures = ConcurrentHashMap.newKeySet();
        for (int race = 0; race < RACES; race++) {
            int number = parent.child("victim", "uid=20001");
            try (PidFd victim = PidFd.open(number)) {
                Thread reader =
                        Thread.ofPlatform()
                                .uncaughtExceptionHandler((_, e) -> failures.add(e))
                                .start(() -> readUntilGone(victim, commands, users));
                boolean recycled = parent.recycle(number, "successor", "uid=20002");
                reader.join();
                if (recycled) {
                    assertThat(parent.kill(number, Signal.TERM)).isTrue();
                    assertThat(parent.reap(number)).isEqualTo(TERMINATED);
                }
            }
        }
        assertThat(failures).isEmpty();
        assertThat(commands).doesNotContain("successor");
        assertThat(users).doesNotContain(20002L);
    }

    private static void readUntilGone(PidFd victim, Set<String> commands, Set<Long> users) {
        boolean there = true;
        while (there) {
            there = victim.state() != PidFd.State.REAPED;
            try {
                commands.addAll(victim.proc().commandLine());
                commands.add(victim.proc().name());
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ESRCH);
            }
            victim.info().credentials().ifPresent(ids -> users.add(ids.realUid()));
        }
    }

    @Test
    @Needs(cgroup2 = true)
    void theMembersOfACgroupAreNeverSuccessorsFromElsewhere() throws Exception {
        List<Throwable> failures = new ArrayList<>();
        Set<String> commands = ConcurrentHashMap.newKeySet();
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            Cgroup cgroup = scratch.cgroup();
            Thread walker =
                    Thread.ofPlatform()
                            .uncaughtExceptionHandler((_, e) -> failures.add(e))
                            .start(() -> visitUntilInterrupted(cgroup, commands));
            for (int race = 0; race < RACES; race++) {
                int number = parent.child("inside", "ignore=USR1", "cgroup=" + scratch.folder());
                try (PidFd victim = PidFd.open(number)) {
                    if (!parent.recycle(number, "outside")) {
                        continue;
                    }
                    try (PidFd successor = PidFd.open(number)) {
                        assertDiedIn(cgroup, victim);
                        assertThat(cgroup.contains(victim)).isFalse();
                        assertThat(cgroup.contains(successor)).isFalse();
                        gone(() -> cgroup.attach(victim));
                        assertThat(cgroup.contains(successor)).as("not moved").isFalse();
                    }
                }
                assertThat(parent.kill(number, Signal.TERM)).isTrue();
                assertThat(parent.reap(number))
                        .as("the walker's signals are for members only")
                        .isEqualTo(TERMINATED);
            }
            walker.interrupt();
            walker.join();
        }
        assertThat(failures).isEmpty();
        assertThat(commands).doesNotContain("outside").contains("inside");
    }

    /**
     * Linux 6.15 reports where a process died; older kernels report nothing about a process that is
     * gone.
     */
    private static void assertDiedIn(Cgroup cgroup, PidFd victim) {
        if (!Feature.EXIT_INFO.isPresent()) {
            assertThat(victim.info().cgroupId()).isEmpty();
            gone(() -> victim.cgroup().close());
            return;
        }
        assertThat(victim.info().cgroupId()).hasValue(cgroup.id());
        try (Cgroup its = victim.cgroup()) {
            assertThat(its).isEqualTo(cgroup);
        }
    }

    private static void visitUntilInterrupted(Cgroup cgroup, Set<String> commands) {
        while (!Thread.currentThread().isInterrupted()) {
            cgroup.forEachMember(member -> {
                try {
                    commands.addAll(member.proc().commandLine());
                } catch (ErrnoException e) {
                    assertThat(e.errno()).isEqualTo(Errno.ESRCH);
                }
                boolean _ = member.signal(Signal.USR1);
            });
        }
    }
}
