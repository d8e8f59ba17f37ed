package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Seccomp;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests under a filter that forbids pidfd_send_signal(2), as old container profiles do. */
@Timeout(60)
class SeccompTest {
    private static final int PIDFD_SEND_SIGNAL = 424;
    private static final int PIDFD_OPEN = 434;

    @ParameterizedTest
    @ValueSource(ints = {Errno.EPERM, Errno.ENOSYS})
    void whoRefusesPidfdOpenIsNamed(int errno) throws Exception {
        Seccomp.refusing(
                PIDFD_OPEN,
                errno,
                () ->
                        assertThatThrownBy(() -> PidFd.open(1))
                                .isInstanceOfSatisfying(
                                        ErrnoException.class,
                                        e -> assertThat(e.errno()).isEqualTo(errno))
                                .hasMessageContaining("seccomp"));
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EPERM, Errno.ENOSYS})
    void theStateOfAProcessIsStillReportedCorrectly(int errno) throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            int number = child.pid();
            Seccomp.refusing(
                    PIDFD_SEND_SIGNAL,
                    errno,
                    () -> {
                        assertThatThrownBy(() -> child.signal(Signal.KILL))
                                .isInstanceOfSatisfying(
                                        ErrnoException.class,
                                        e -> assertThat(e.errno()).isEqualTo(errno));
                        assertThat(child.state()).isEqualTo(PidFd.State.ALIVE);
                        assertThat(child.proc().commandLine()).containsExactly("child");
                        try (PidFd same = PidFd.open(number)) {
                            assertThat(same).isEqualTo(child);
                        }

                        assertThat(parent.kill(number, Signal.KILL)).isTrue();
                        assertThat(Readiness.await(child.fd(), Readiness.IN)).isNotZero();
                        assertThat(child.state()).isEqualTo(PidFd.State.EXITED);
                        assertThat(child.isAlive()).isFalse();
                        assertThat(child.proc().commandLine()).isEmpty();

                        parent.reap(number);
                        assertThat(child.state()).isEqualTo(PidFd.State.REAPED);
                        assertThat(child.isAlive()).isFalse();
                        assertThatThrownBy(() -> child.proc().commandLine())
                                .hasMessageContaining("ESRCH");
                    });
        }
    }
}
