package io.holdfast.dbus.wire;

import static java.util.Objects.requireNonNull;

/**
 * A value of type {@code v}: a value together with its type.
 *
 * @param type one complete type
 * @param value a value of that type, as {@link Message#values} describes
 */
public record Variant(Signature type, Object value) {
    /**
     * Checks the type.
     *
     * @throws NullPointerException if the type or the value is null
     * @throws IllegalArgumentException if the type is not exactly one complete type
     */
    public Variant {
        requireNonNull(type, "type");
        requireNonNull(value, "value");
        if (!type.isSingle()) {
            throw new IllegalArgumentException("not one complete type: '" + type + "'");
        }
    }

    /**
     * {@return a variant of this type}
     *
     * @param type one complete type, as {@code as}
     * @param value a value of that type, as {@link Message#values} describes
     * @throws IllegalArgumentException if the type is not exactly one complete type
     */
    public static Variant of(String type, Object value) {
        requireNonNull(type, "type");
        return new Variant(Signature.of(type), value);
    }

    /**
     * Makes a variant of a string.
     *
     * @param value the value
     * @return the variant
     */
    public static Variant of(String value) {
        return of("s", value);
    }

    /**
     * Makes a variant of a boolean.
     *
     * @param value the value
     * @return the variant
     */
    public static Variant of(boolean value) {
        return of("b", value);
    }

    /**
     * Makes a variant of a signed number of 32 bits.
     *
     * @param value the value
     * @return the variant
     */
    public static Variant of(int value) {
        return of("i", value);
    }
}
