package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.process.SysResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ProcLimitsTest {
    @Test
    void eachSoftLimitIsThatOfTheSystemCall() {
        try (PidFd self = PidFd.self()) {
            for (Resource resource : Resource.values()) {
                assertThat(self.proc().softLimit(resource))
                        .as(resource.toString())
                        .isEqualTo(SysResource.limit(resource.number())[0]);
            }
        }
    }

    /** The kernel shows no limits of a process that is reaped between the open and the read. */
    @Test
    void aProcessThatWasJustReapedHasEnded() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Proc.softLimit("", Resource.LOCKS))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
    }
}
