package io.holdfast.core.process;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.process.PidfdInfo;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A core dump that went through a coredump socket or pipe helper (Linux 6.16, {@code core(5)}).
 *
 * @param onlyForRoot whether the dump may hold secrets of another user than the process's own
 * @param signal the signal that caused it (Linux 6.19)
 * @param code the {@code si_code} of the signal (Linux 7.1)
 */
public record CoreDump(boolean onlyForRoot, Optional<Signal> signal, OptionalInt code) {

    static Optional<CoreDump> of(PidfdInfo info) {
        if (!info.has(PidfdInfo.INFO_COREDUMP)
                || (info.coredumpMask() & PidfdInfo.COREDUMPED) == 0) {
            return Optional.empty();
        }
        return Optional.of(
                new CoreDump(
                        (info.coredumpMask() & PidfdInfo.COREDUMP_ROOT) != 0,
                        info.has(PidfdInfo.INFO_COREDUMP_SIGNAL)
                                ? Optional.of(new Signal(info.coredumpSignal()))
                                : Optional.empty(),
                        info.has(PidfdInfo.INFO_COREDUMP_CODE)
                                ? OptionalInt.of(info.coredumpCode())
                                : OptionalInt.empty()));
    }
}
