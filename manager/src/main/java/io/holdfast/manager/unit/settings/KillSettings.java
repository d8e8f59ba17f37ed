package io.holdfast.manager.unit.settings;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import java.util.Optional;

/**
 * The signals by which the processes of a unit are stopped.
 *
 * @param restartSignal instead of {@code signal} when the stop is part of a restart
 * @param finalSignal after the stop timeout, if {@code sendFinal}
 * @param sendFinal {@code SendSIGKILL=}
 * @param sendHangup whether SIGHUP follows {@code signal} at once
 * @param watchdogSignal after a watchdog timeout
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.kill.html">systemd.kill</a>
 */
public record KillSettings(
        KillMode mode,
        Signal signal,
        Signal restartSignal,
        Signal finalSignal,
        boolean sendFinal,
        boolean sendHangup,
        Signal watchdogSignal) {

    /** The processes that are signalled. */
    public enum KillMode {
        /** All processes in the unit's cgroup. */
        CONTROL_GROUP,
        /** The main process only; the others are left over. */
        PROCESS,
        /** The first signal goes to the main process, the final one to all. */
        MIXED,
        /** None. */
        NONE
    }

    public static final class Reader implements SectionReader {
        private KillMode mode = KillMode.CONTROL_GROUP;
        private Signal signal = Signal.TERM;
        private Optional<Signal> restartSignal = Optional.empty();
        private Signal finalSignal = Signal.KILL;
        private boolean sendFinal = true;
        private boolean sendHangup;
        private Signal watchdogSignal = Signal.ABRT;

        /** Creates a reader with the defaults. */
        public Reader() {}

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "KillMode" -> mode = a.word(mode, KillMode.values(), KillMode.CONTROL_GROUP);
                case "KillSignal" -> signal = a.signal(signal);
                case "RestartKillSignal" ->
                        restartSignal = Optional.of(a.signal(restartSignal.orElse(signal)));
                case "FinalKillSignal" -> finalSignal = a.signal(finalSignal);
                case "SendSIGKILL" -> sendFinal = a.bool(sendFinal);
                case "SendSIGHUP" -> sendHangup = a.bool(sendHangup);
                case "WatchdogSignal" -> watchdogSignal = a.signal(watchdogSignal);
                default -> {
                    return false;
                }
            }
            return true;
        }

        public KillSettings build() {
            return SharedParts.of(
                    new KillSettings(
                            mode,
                            signal,
                            restartSignal.orElse(signal),
                            finalSignal,
                            sendFinal,
                            sendHangup,
                            watchdogSignal));
        }
    }
}
