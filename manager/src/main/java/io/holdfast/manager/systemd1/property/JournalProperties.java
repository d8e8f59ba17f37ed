package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.number;
import static io.holdfast.manager.systemd1.property.SettableProperty.time;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.format.Quoting;
import io.holdfast.manager.unit.settings.JournalSettings;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The properties that describe what the receiver of log messages does with those of a unit. */
final class JournalProperties {
    private JournalProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, JournalSettings> log) {
        table.settable(
                        "LogLevelMax",
                        number("i", "LogLevelMax"),
                        t -> log.apply(t).levelMax().orElse(-1))
                .settable(
                        "LogRateLimitIntervalUSec",
                        time("LogRateLimitIntervalSec"),
                        t -> Micros.of(log.apply(t).rateInterval().orElse(TimeSpan.ZERO)))
                .settable(
                        "LogRateLimitBurst",
                        number("u", "LogRateLimitBurst"),
                        t -> log.apply(t).rateBurst().orElse(0))
                .settable(
                        "LogExtraFields",
                        new SettableProperty("aay", JournalProperties::extraFields),
                        t ->
                                log.apply(t).extraFields().stream()
                                        .map(field -> field.getBytes(UTF_8))
                                        .toList())
                .settable(
                        "LogFilterPatterns",
                        new SettableProperty("a(bs)", JournalProperties::patterns),
                        t -> patterns(log.apply(t)));
    }

    private static void extraFields(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "LogExtraFields", value);
        for (Object field : (List<?>) value) {
            String text = new String((byte[]) field, UTF_8);
            unit.literal(section, "LogExtraFields", Quoting.C_ESCAPES.quote(text));
        }
    }

    private static List<Struct> patterns(JournalSettings log) {
        List<Struct> patterns = new ArrayList<>();
        log.allowedPatterns().forEach(each -> patterns.add(Struct.of(true, each)));
        log.deniedPatterns().forEach(each -> patterns.add(Struct.of(false, each)));
        return patterns;
    }

    private static void patterns(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "LogFilterPatterns", value);
        for (Object each : (List<?>) value) {
            Struct pattern = (Struct) each;
            boolean isAllowed = (Boolean) pattern.get(0);
            unit.line(section, "LogFilterPatterns", (isAllowed ? "" : "~") + pattern.get(1));
        }
    }
}
