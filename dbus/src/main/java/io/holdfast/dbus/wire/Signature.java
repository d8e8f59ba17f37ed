package io.holdfast.dbus.wire;

import io.holdfast.dbus.marshal.SignatureCheck;
import io.holdfast.dbus.marshal.TypeCode;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The types of a body or of a variant: zero or more complete types, at most 255 bytes, with at most
 * 32 nested arrays and 32 nested structs (or dict entries). Immutable.
 */
public final class Signature {
    /** The empty signature, of an empty body. */
    public static final Signature EMPTY = new Signature("");

    private final String text;
    private final byte[] codes;

    private Signature(String text) {
        this.text = text;
        this.codes = text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /**
     * {@return the signature with this text}
     *
     * @param text the text of the signature
     * @throws IllegalArgumentException if the text is no valid signature, with the position of the
     *     error
     */
    public static Signature of(String text) {
        if (text.isEmpty()) {
            return EMPTY;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int error = SignatureCheck.check(MemorySegment.ofArray(bytes), 0, bytes.length);
        if (error >= 0) {
            throw new IllegalArgumentException(
                    "not a signature: '" + text + "', wrong at character " + error);
        }
        return new Signature(text);
    }

    /** {@return whether this is exactly one complete type, as a variant needs} */
    public boolean isSingle() {
        return codes.length > 0 && TypeCode.end(codes, 0) == codes.length;
    }

    /** {@return the complete types, one by one} */
    public List<Signature> types() {
        List<Signature> types = new ArrayList<>();
        for (int at = 0; at < codes.length; ) {
            int end = TypeCode.end(codes, at);
            types.add(new Signature(text.substring(at, end)));
            at = end;
        }
        return List.copyOf(types);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Signature that && Arrays.equals(codes, that.codes);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
