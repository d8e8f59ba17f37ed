package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import org.jspecify.annotations.Nullable;

/**
 * The type of a String: s, o or g.
 *
 * @param signature the D-Bus type
 */
public record TextType(String signature) implements WireType {
    @Override
    public Object toWire(@Nullable Object value) {
        String text = (String) UnfitException.present(value);
        try {
            return switch (signature) {
                case "o" -> new ObjectPath(text);
                case "g" -> Signature.of(text);
                default -> carried(text);
            };
        } catch (IllegalArgumentException e) {
            throw new UnfitException("is " + e.getMessage());
        }
    }

    private static String carried(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new UnfitException("has a NUL at " + text.indexOf('\0'));
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new UnfitException("has half a pair of surrogates at " + i);
                }
                i++;
            }
        }
        return text;
    }

    @Override
    public Object toJava(Object plain, Descriptors descriptors) {
        return plain.toString();
    }
}
