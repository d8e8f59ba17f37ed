package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.unit.settings.KillSettings;
import java.util.function.Function;

/** The properties that describe how the processes of a unit are stopped. */
final class KillProperties {
    private KillProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, KillSettings> kill) {
        table.fixed("KillMode", "s", t -> UnitProperties.word(kill.apply(t).mode()))
                .fixed("KillSignal", "i", t -> kill.apply(t).signal().number())
                .fixed("RestartKillSignal", "i", t -> kill.apply(t).restartSignal().number())
                .fixed("FinalKillSignal", "i", t -> kill.apply(t).finalSignal().number())
                .fixed("WatchdogSignal", "i", t -> kill.apply(t).watchdogSignal().number())
                .fixed("SendSIGKILL", "b", t -> kill.apply(t).sendFinal())
                .fixed("SendSIGHUP", "b", t -> kill.apply(t).sendHangup());
    }
}
