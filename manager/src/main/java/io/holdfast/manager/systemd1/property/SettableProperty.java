package io.holdfast.manager.systemd1.property;

import io.holdfast.core.Signal;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A D-Bus property that StartTransientUnit accepts; it is written as a directive of the transient
 * unit's file.
 *
 * @param type its D-Bus type
 * @param set adds a value of that type to a description
 */
record SettableProperty(String type, Setter set) {
    /** Sets a property. */
    interface Setter {
        /**
         * @param section of the unit file
         */
        void set(UnitDescription unit, String section, Object value);
    }

    /**
     * @throws io.holdfast.dbus.DBusException if the value is of another type, or is invalid
     */
    void set(UnitDescription unit, String section, Variant value) {
        if (!value.type().toString().equals(type)) {
            throw Errors.invalid("Failed to set unit properties: Unexpected message contents");
        }
        set.set(unit, section, value.value());
    }

    // ---- the kinds of values of directives

    static SettableProperty text(String directive) {
        return new SettableProperty(
                "s", (unit, section, value) -> unit.literal(section, directive, (String) value));
    }

    static SettableProperty bool(String directive) {
        return new SettableProperty(
                "b",
                (unit, section, value) ->
                        unit.line(section, directive, Boolean.TRUE.equals(value) ? "yes" : "no"));
    }

    /**
     * Makes a property in microseconds; the greatest number (systemd's USEC_INFINITY) means
     * infinity.
     */
    static SettableProperty time(String directive) {
        return new SettableProperty(
                "t",
                (unit, section, value) -> {
                    long micros = (Long) value;
                    TimeSpan span =
                            micros < 0 || micros == Long.MAX_VALUE
                                    ? TimeSpan.INFINITY
                                    : new TimeSpan(micros);
                    unit.line(section, directive, span.toString());
                });
    }

    /** Makes a property with the words of an enumeration, as in the directive. */
    static <E extends Enum<E>> SettableProperty word(String directive, E[] constants) {
        List<String> words =
                Stream.of(constants)
                        .map(each -> each.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                        .toList();
        return new SettableProperty(
                "s",
                (unit, section, value) -> {
                    if (!words.contains(value)) {
                        throw Errors.invalid("Invalid " + directive + " setting: " + value);
                    }
                    unit.line(section, directive, (String) value);
                });
    }

    static SettableProperty signal(String directive) {
        return new SettableProperty(
                "i",
                (unit, section, value) -> {
                    int number = (Integer) value;
                    if (number < 1 || number > 64) {
                        throw Errors.invalid("Invalid " + directive + " value: " + number);
                    }
                    unit.line(section, directive, new Signal(number).toString());
                });
    }

    static SettableProperty units(String directive) {
        return new SettableProperty(
                "as",
                (unit, section, value) -> {
                    for (Object name : (List<?>) value) {
                        unit.line(section, directive, name((String) name).text());
                    }
                });
    }

    static SettableProperty paths(String directive) {
        return new SettableProperty(
                "as",
                (unit, section, value) -> {
                    for (Object path : (List<?>) value) {
                        if (!((String) path).startsWith("/")) {
                            throw Errors.invalid("Invalid " + directive + " value: " + path);
                        }
                        unit.literal(section, directive, quoted((String) path));
                    }
                });
    }

    private static String quoted(String word) {
        return '"' + word.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    static SettableProperty slice(String directive) {
        return new SettableProperty(
                "s",
                (unit, section, value) -> {
                    UnitName name = name((String) value);
                    if (name.type() != UnitType.SLICE) {
                        throw Errors.invalid("Unit name '" + name + "' is not a slice");
                    }
                    unit.line(section, directive, name.text());
                });
    }

    private static UnitName name(String text) {
        return UnitName.parse(text)
                .orElseThrow(() -> Errors.invalid("Invalid unit name '" + text + "'"));
    }
}
