package io.holdfast.dbus.generate;

import io.holdfast.dbus.wire.Signature;
import java.util.List;

/**
 * One complete type, taken apart.
 *
 * @param inner the types in it: the element of an array, key and value of a map, the members of a
 *     struct
 */
record SignatureParts(Kind kind, List<Signature> inner) {
    /** The kind of a type. */
    enum Kind {
        BASIC,
        BYTES,
        ARRAY,
        MAP,
        STRUCT
    }

    static SignatureParts of(Signature type) {
        String text = type.toString();
        if (text.equals("ay")) {
            return new SignatureParts(Kind.BYTES, List.of());
        }
        if (text.startsWith("a{")) {
            String entry = text.substring(2, text.length() - 1);
            return new SignatureParts(
                    Kind.MAP,
                    List.of(Signature.of(entry.substring(0, 1)), Signature.of(entry.substring(1))));
        }
        return switch (text.charAt(0)) {
            case 'a' -> new SignatureParts(Kind.ARRAY, List.of(Signature.of(text.substring(1))));
            case '(' ->
                    new SignatureParts(
                            Kind.STRUCT,
                            Signature.of(text.substring(1, text.length() - 1)).types());
            default -> new SignatureParts(Kind.BASIC, List.of());
        };
    }
}
