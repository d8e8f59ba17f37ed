package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.process.PosixSpawn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GateTest {
    /** With all signals blocked, a child that waited would be deaf to any signal but SIGKILL. */
    @Test
    void aChildThatArrivesWhenNobodyWaitsAnyMoreDoesNotWaitEither() {
        try (Gate gate = Gate.make()) {
            PosixSpawn.Opening arrival = gate.openings().getFirst();
            gate.stopWaiting(); // as the end of this process would
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() ->
                            arrival.source()
                                    .with(number ->
                                            Fcntl.open("/proc/self/fd/" + number, arrival.oflag())))
                    .matches(e -> e.errno() == Errno.ENXIO);
        }
    }
}
