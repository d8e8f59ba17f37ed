package io.holdfast.manager.systemd1.property;

import io.holdfast.core.Signal;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Quoting;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Locale;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * A D-Bus property that StartTransientUnit accepts; it is written as a directive of the transient
 * unit's file.
 *
 * @param type its D-Bus type
 * @param set adds a value of that type to a description
 * @param live whether SetUnitProperties accepts it too, while the unit runs
 */
record SettableProperty(String type, Setter set, boolean live) {
    SettableProperty(String type, Setter set) {
        this(type, set, false);
    }

    /** Returns the same property, which can also be set while the unit runs. */
    SettableProperty asLive() {
        return new SettableProperty(type, set, true);
    }

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
            throw wrongType();
        }
        set.set(unit, section, value.value());
    }

    static DBusException wrongType() {
        return Errors.invalid("Failed to set unit properties: Unexpected message contents");
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

    /** Makes a property of a D-Bus integer type, which the directive has as a number. */
    static SettableProperty number(String type, String directive) {
        return new SettableProperty(
                type,
                (unit, section, value) ->
                        unit.line(
                                section,
                                directive,
                                type.equals("t")
                                        ? Long.toUnsignedString((Long) value)
                                        : value.toString()));
    }

    /** Makes a property with the bits of a file mode. */
    static SettableProperty mode(String directive) {
        return new SettableProperty(
                "u",
                (unit, section, value) ->
                        unit.line(section, directive, "0" + Long.toOctalString((Long) value)));
    }

    /** Makes a property with the number of a constant, whose directive has its word. */
    static <E extends Enum<E>> SettableProperty numbered(
            String directive, E[] constants, ToIntFunction<E> number) {
        return new SettableProperty(
                "i",
                (unit, section, value) -> {
                    E found =
                            Stream.of(constants)
                                    .filter(each -> number.applyAsInt(each) == (Integer) value)
                                    .findFirst()
                                    .orElseThrow(() -> invalid(directive, value));
                    unit.line(section, directive, word(found));
                });
    }

    /** Makes a property whose words the directive lists; no words reset the directive. */
    static SettableProperty words(String directive) {
        return words(directive, Quoting.LITERAL);
    }

    /** Makes a property whose words the directive lists with C escapes. */
    static SettableProperty escapedWords(String directive) {
        return words(directive, Quoting.C_ESCAPES);
    }

    private static SettableProperty words(String directive, Quoting quoting) {
        return new SettableProperty(
                "as",
                (unit, section, value) -> {
                    reset(unit, section, directive, value);
                    for (Object word : (List<?>) value) {
                        unit.literal(section, directive, quoting.quote((String) word));
                    }
                });
    }

    /** Adds the line that resets a directive, if a list is empty. */
    static void reset(UnitDescription unit, String section, String directive, Object list) {
        if (((List<?>) list).isEmpty()) {
            unit.line(section, directive, "");
        }
    }

    /** Makes a property of exit statuses and signals. */
    static SettableProperty statuses(String directive) {
        return new SettableProperty(
                "(aiai)",
                (unit, section, value) -> {
                    List<?> statuses = (List<?>) ((Struct) value).get(0);
                    List<?> signals = (List<?>) ((Struct) value).get(1);
                    if (statuses.isEmpty() && signals.isEmpty()) {
                        unit.line(section, directive, "");
                    }
                    statuses.forEach(status -> unit.line(section, directive, status.toString()));
                    signals.forEach(
                            number -> unit.line(section, directive, signalName(directive, number)));
                });
    }

    private static <E extends Enum<E>> String word(E constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static DBusException invalid(String directive, Object value) {
        return Errors.invalid("Invalid " + directive + " setting: " + value);
    }

    /** Makes a property with the words of an enumeration, as in the directive. */
    static <E extends Enum<E>> SettableProperty word(String directive, E[] constants) {
        List<String> words = Stream.of(constants).map(SettableProperty::word).toList();
        return new SettableProperty(
                "s",
                (unit, section, value) -> {
                    if (!words.contains(value)) {
                        throw invalid(directive, value);
                    }
                    unit.line(section, directive, (String) value);
                });
    }

    static SettableProperty signal(String directive) {
        return new SettableProperty(
                "i",
                (unit, section, value) ->
                        unit.line(section, directive, signalName(directive, value)));
    }

    private static String signalName(String directive, Object number) {
        int signal = (Integer) number;
        if (signal < 1 || signal > 64) {
            throw Errors.invalid("Invalid " + directive + " value: " + signal);
        }
        return new Signal(signal).toString();
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
                        unit.literal(section, directive, Quoting.LITERAL.quote((String) path));
                    }
                });
    }

    static SettableProperty unit(String directive) {
        return new SettableProperty(
                "s",
                (unit, section, value) ->
                        unit.line(section, directive, name((String) value).text()));
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
