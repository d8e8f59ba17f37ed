package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxProbeTest {
    private static boolean isRefusal(int errno) {
        ErrnoException failure = new ErrnoException("unshare", "MNT", errno);
        return SandboxProbe.isRefusal(failure);
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
