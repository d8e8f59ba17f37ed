package io.holdfast.manager.systemd1;

import io.holdfast.core.Signal;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import io.holdfast.manager.unit.value.WordReader.Backslash;
import java.util.List;
import java.util.Map;

/**
 * A property of StartTransientUnit as a person writes it: the name of a directive and a text, as
 * {@code systemd-run --property} takes them.
 */
public final class TextProperty {
    private static final String SECONDS = "Sec";
    private static final String MICROSECONDS = "USec";

    private TextProperty() {}

    /**
     * Returns the property that a directive sets, a name and a {@link Variant}: {@code
     * TimeoutStopSec=5s} is {@code TimeoutStopUSec} with 5,000,000.
     *
     * @throws IllegalArgumentException if a unit of this type cannot be given the directive by a
     *     text, or the text is not one of its values
     */
    public static Struct of(UnitType type, String directive, String text) {
        Map<String, String> settable = UnitFaces.settable(type);
        String name = directive;
        if (!settable.containsKey(name) && name.endsWith(SECONDS)) {
            name = name.substring(0, name.length() - SECONDS.length()) + MICROSECONDS;
        }
        String signature = settable.get(name);
        if (signature == null) {
            throw new IllegalArgumentException("cannot be set at run time");
        }
        return Struct.of(name, Variant.of(signature, value(name, signature, text)));
    }

    private static Object value(String name, String signature, String text) {
        return switch (signature) {
            case "s" -> text;
            case "b" -> Scalars.parseBoolean(text);
            case "i" ->
                    name.endsWith("Signal")
                            ? Signal.of(text).number()
                            : Scalars.parseInt(text, Integer.MIN_VALUE, Integer.MAX_VALUE);
            case "u" ->
                    name.endsWith("Mode") || name.equals("UMask")
                            ? Scalars.parseMode(text)
                            : Scalars.parseInt(text, 0, Integer.MAX_VALUE);
            case "t" ->
                    name.endsWith(MICROSECONDS)
                            ? TimeSpan.parse(text).micros()
                            : Scalars.parseSize(text);
            case "as" -> words(name, text);
            default -> throw new IllegalArgumentException("cannot be set by a text");
        };
    }

    /** Splits a text as a unit file has it. */
    private static List<String> words(String name, String text) {
        boolean hasEscapes = name.equals("Environment") || name.equals("UnsetEnvironment");
        return new WordReader(text, hasEscapes ? Backslash.C_ESCAPE : Backslash.LITERAL_NEXT)
                .rest();
    }
}
