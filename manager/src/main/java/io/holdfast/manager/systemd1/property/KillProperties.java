package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.bool;
import static io.holdfast.manager.systemd1.property.SettableProperty.signal;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import java.util.function.Function;

/** The properties that describe how the processes of a unit are stopped. */
final class KillProperties {
    private KillProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, KillSettings> kill) {
        table.settable(
                "KillMode",
                SettableProperty.word("KillMode", KillMode.values()),
                kill.andThen(k -> UnitProperties.word(k.mode())));
        addSignal(table, "KillSignal", kill.andThen(KillSettings::signal));
        addSignal(table, "RestartKillSignal", kill.andThen(KillSettings::restartSignal));
        addSignal(table, "FinalKillSignal", kill.andThen(KillSettings::finalSignal));
        addSignal(table, "WatchdogSignal", kill.andThen(KillSettings::watchdogSignal));
        table.settable("SendSIGKILL", bool("SendSIGKILL"), kill.andThen(KillSettings::sendFinal))
                .settable("SendSIGHUP", bool("SendSIGHUP"), kill.andThen(KillSettings::sendHangup));
    }

    private static <T> void addSignal(
            PropertyTable<T> table, String name, Function<T, Signal> value) {
        table.settable(name, signal(name), value.andThen(Signal::number));
    }
}
