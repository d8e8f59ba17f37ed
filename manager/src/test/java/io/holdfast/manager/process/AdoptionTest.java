package io.holdfast.manager.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A scope gets all processes that it was made for, or keeps none of them. */
@Timeout(60)
@Needs(root = true, cgroup2 = true)
class AdoptionTest {
    private static final UnitName SCOPE = UnitName.of("x.scope");
    private static final UnitName SLICE = UnitName.of("system.slice");
    private static final int KTHREADD = 2;

    private UnitCgroups cgroups;
    private Child child;

    @BeforeEach
    void open() {
        long own = ProcessHandle.current().pid();
        cgroups =
                UnitCgroups.open(
                        UnitName.of("hfadoption" + own + ".slice"), false, false, Optional.empty());
        child = Spawn.of("sleep", "1000").start();
    }

    @AfterEach
    void close() {
        cgroups.close();
        child.asProcess().destroyForcibly();
        child.close();
    }

    private Adoption adopt(PidFd... processes) {
        return Adoption.of(
                () -> cgroups.create(SCOPE, SLICE, CgroupSettings.NONE, _ -> {}),
                List.of(processes));
    }

    private String place() {
        return child.pidFd().cgroupPath().path();
    }

    @Test
    void whatIsUndoneIsWhereItWasBefore() {
        String before = place();
        Adoption adoption = adopt(child.pidFd().duplicate());
        assertThat(place()).endsWith("/x.scope");
        adoption.undo();
        assertThat(place()).isEqualTo(before);
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Cgroup.open(cgroups.path().path() + "/system.slice/x.scope"))
                .matches(e -> e.errno() == Errno.ENOENT);
    }

    @Test
    void oneThatMayNotBeMovedKeepsTheOthersWhereTheyAre() {
        String before = place();
        Optional<PidFd> kernel =
                PidFd.find(KTHREADD).filter(each -> each.proc().name().equals("kthreadd"));
        assumeTrue(
                kernel.isPresent(), "needs the initial PID namespace, with the kernel's threads");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> adopt(child.pidFd().duplicate(), kernel.get()));
        assertThat(place()).isEqualTo(before);
    }

    @Test
    void whatAnEarlierScopeLeftIsNotTakenOver() throws Exception {
        try (Cgroup left = adopt(child.pidFd().duplicate()).keep();
                Child other = Spawn.of("sleep", "1000").start()) {
            String before = other.pidFd().cgroupPath().path();
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> adopt(other.pidFd().duplicate()))
                    .matches(e -> e.errno() == Errno.EBUSY)
                    .withMessageContaining("earlier scope");
            assertThat(other.pidFd().cgroupPath().path()).isEqualTo(before);
            assertThat(left.contains(child.pidFd())).isTrue();
            other.asProcess().destroyForcibly();
        }
    }
}
