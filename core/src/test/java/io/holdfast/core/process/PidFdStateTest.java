package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The state of a process that lives, is a zombie, and is reaped. */
@Timeout(60)
class PidFdStateTest {
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    private ForeignParent parent;

    @BeforeEach // not in a field: an instance is made for a skipped test as well
    void start() {
        parent = ForeignParent.start();
    }

    @AfterEach
    void end() {
        parent.close();
    }

    private static void kill(PidFd process) throws InterruptedException {
        assertThat(process.signal(Signal.KILL)).isTrue();
        assertThat(Readiness.await(process.fd(), Readiness.IN)).isNotZero();
    }

    @Test
    void aLivingProcessReportsAllOfIt() throws Exception {
        try (PidFd child = parent.held("child")) {
            assertThat(child.state()).isEqualTo(PidFd.State.ALIVE);
            assertThat(child.isAlive()).isTrue();
            ProcessInfo info = child.info();
            assertThat(info.pid()).hasValue(child.pid());
            assertThat(info.tgid()).hasValue(child.pid());
            assertThat(info.ppid()).hasValue(parent.pid());
            assertThat(info.exit()).isEmpty();
            assertThat(info.coreDump()).isEmpty();
            assertThat(info.source())
                    .isEqualTo(
                            Feature.PIDFD_INFO.isPresent()
                                    ? ProcessInfo.Source.KERNEL
                                    : ProcessInfo.Source.PROC);
            String status = Files.readString(Path.of("/proc/" + child.pid() + "/status"));
            Credentials ids = info.credentials().orElseThrow();
            assertThat(status)
                    .contains(
                            "Uid:\t%d\t%d\t%d\t%d\n"
                                    .formatted(
                                            ids.realUid(),
                                            ids.effectiveUid(),
                                            ids.savedUid(),
                                            ids.fileSystemUid()))
                    .contains(
                            "Gid:\t%d\t%d\t%d\t%d\n"
                                    .formatted(
                                            ids.realGid(),
                                            ids.effectiveGid(),
                                            ids.savedGid(),
                                            ids.fileSystemGid()));
            assertThat(ids.effectiveUid()).isEqualTo(Unistd.geteuid());
        }
    }

    @Test
    @Needs(root = true)
    void theIdsOfAnotherUserAreReported() {
        try (PidFd child = parent.held("child", "uid=4294967290")) {
            Credentials ids = child.info().credentials().orElseThrow();
            assertThat(ids)
                    .isEqualTo(
                            new Credentials(
                                    4294967290L,
                                    4294967290L,
                                    4294967290L,
                                    4294967290L,
                                    4294967290L,
                                    4294967290L,
                                    4294967290L,
                                    4294967290L));
        }
    }

    @Test
    @Needs(cgroup2 = true)
    void theCgroupIsReportedByIdAndByPath() {
        try (PidFd self = PidFd.self();
                Cgroup own = Cgroup.own();
                Cgroup ofSelf = self.cgroup()) {
            assertThat(self.info().cgroupId()).hasValue(own.id());
            assertThat(ofSelf).isEqualTo(own);
            assertThat(self.cgroupPath()).isEqualTo(own.path());
        }
    }

    @Test
    void aZombieStillHasItsNumberItsParentAndItsIds() throws InterruptedException {
        try (PidFd child = parent.held("child")) {
            int number = child.pid();
            kill(child);
            assertThat(child.state()).isEqualTo(PidFd.State.EXITED);
            assertThat(child.isAlive()).isFalse();
            assertThat(child.pid()).isEqualTo(number);
            ProcessInfo info = child.info();
            assertThat(info.pid()).hasValue(number);
            assertThat(info.ppid()).hasValue(parent.pid());
            assertThat(info.credentials()).isPresent();
            assertThat(info.exit()).isEmpty();
            try (PidFd itsParent = child.parent().orElseThrow()) {
                assertThat(itsParent.pid()).isEqualTo(parent.pid());
            }
            try (PidFd again = PidFd.open(number)) {
                assertThat(again).isEqualTo(child);
            }
            assertThat(child.signal(Signal.TERM)).as("a zombie swallows it").isTrue();
        }
    }

    @Test
    void snapshotsWithTheSameContentAreEqual() throws InterruptedException {
        try (PidFd child = parent.held("child");
                PidFd other = parent.held("other")) {
            ProcessInfo info = child.info();
            assertThat(child.info()).isEqualTo(info).hasSameHashCodeAs(info).hasToString("" + info);
            assertThat(other.info()).isNotEqualTo(info);
            assertThat(info)
                    .asString()
                    .startsWith("ProcessInfo[pid=OptionalInt[" + child.pid() + "], tgid=")
                    .contains("effectiveUid=" + Unistd.geteuid())
                    .endsWith("source=" + info.source() + "]");
            kill(child);
            assertThat(parent.reap(child.pid())).isEqualTo(KILLED);
            assertThat(child.info()).isNotEqualTo(info).isEqualTo(child.info());
        }
    }

    @Test
    void aReapedProcessHasNothingButItsEnd() throws InterruptedException {
        try (PidFd child = parent.held("child")) {
            int number = child.pid();
            kill(child);
            assertThat(parent.reap(number)).isEqualTo(KILLED);
            assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
            assertThat(child.isAlive()).isFalse();
            for (org.assertj.core.api.ThrowableAssert.ThrowingCallable call :
                    new org.assertj.core.api.ThrowableAssert.ThrowingCallable[] {
                        child::pid, child::parent, child::processId
                    }) {
                assertThatThrownBy(call)
                        .isInstanceOfSatisfying(
                                ErrnoException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
            }
            ProcessInfo info = child.info();
            assertThat(info.pid()).isEmpty();
            assertThat(info.ppid()).isEmpty();
            assertThat(info.credentials()).isEmpty();
            assertThat(info.exit())
                    .contains(Feature.EXIT_INFO.isPresent() ? KILLED : new Exit.Unknown());
            assertThat(child.signal(Signal.TERM)).isFalse();
            assertThat(child).asString().contains("process " + number);
        }
    }

    @Test
    void aReapedProcessWhoseNumberWasNeverReadCanStillBePrinted() throws Exception {
        assumeFalse(Recorder.isOn(), "the flight recorder of this JVM reads the number");
        try (Child child = Spawn.of("true").start()) {
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            try (PidFd held = child.pidFd().duplicate()) {
                assertThat(held).asString().matches("process( \\d+)?( \\[\\d+])?( of fd \\d+)?");
                assertThatThrownBy(held::pid)
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageContaining(held.toString())
                        .hasMessageContaining("ESRCH");
            }
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void everyWayToEndIsReportedOfAReapedProcess() throws InterruptedException {
        for (int status : new int[] {0, 1, 77, 255}) {
            try (PidFd child = parent.held("child", "exit=" + status)) {
                assertThat(Readiness.await(child.fd(), Readiness.IN)).isNotZero();
                Exit reaped = parent.reap(child.pid());
                assertThat(child.info().exit()).contains(reaped);
                assertThat(reaped).isEqualTo(new Exit.Exited(status));
            }
        }
        for (Signal signal : new Signal[] {Signal.TERM, Signal.USR1, new Signal(40)}) {
            try (PidFd child = parent.held("child", "die=" + signal.number())) {
                assertThat(Readiness.await(child.fd(), Readiness.IN)).isNotZero();
                Exit reaped = parent.reap(child.pid());
                assertThat(child.info().exit()).contains(reaped);
                assertThat(reaped).isEqualTo(new Exit.Killed(signal, false));
            }
        }
    }

    @Test
    @Needs(cgroup2 = true, features = Feature.EXIT_INFO)
    void theLastCgroupOfAReapedProcessIsStillKnown() throws InterruptedException {
        try (PidFd child = parent.held("child");
                Cgroup cgroup = child.cgroup()) {
            kill(child);
            parent.reap(child.pid());
            assertThat(child.info().cgroupId()).hasValue(cgroup.id());
        }
    }

    @Test
    void theParentIsHeldAndTheFirstProcessHasNone() {
        try (PidFd child = parent.held("child");
                PidFd itsParent = child.parent().orElseThrow();
                PidFd self = PidFd.self();
                PidFd ours = itsParent.parent().orElseThrow();
                PidFd first = PidFd.open(1)) {
            assertThat(itsParent.pid()).isEqualTo(parent.pid());
            assertThat(ours).isEqualTo(self);
            assertThat(first.parent()).isEmpty();
            assertThat(first.info().ppid()).isEqualTo(OptionalInt.empty());
        }
    }
}
