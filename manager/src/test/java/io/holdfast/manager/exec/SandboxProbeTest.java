package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Isolation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxProbeTest {
    private static boolean isRefusal(int errno) {
        ErrnoException failure = new ErrnoException("unshare", "MNT", errno);
        boolean plain = SandboxProbe.isRefusal(failure);
        assertThat(SandboxProbe.isRefusal(new Isolation.FailedException(failure))).isEqualTo(plain);
        return plain;
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EPERM, Errno.EACCES, Errno.ENOSYS, Errno.EINVAL, Errno.ENOSPC})
    void aRefusedAttemptShowsThatAPartCannotBeMade(int errno) {
        assertThat(isRefusal(errno)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN, Errno.ENOENT})
    void aShortageOrAMissingProgramDropsNoSandbox(int errno) {
        assertThat(isRefusal(errno)).isFalse();
    }
}
