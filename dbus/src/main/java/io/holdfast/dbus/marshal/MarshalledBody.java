package io.holdfast.dbus.marshal;

import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Values that are marshalled once, to be the whole body of many messages: for a reply that is long
 * and often requested. Holds no descriptors. Immutable.
 */
public final class MarshalledBody {
    private static final int BODY_LENGTH = 4; // the offset of the body's length in a header

    private final Signature signature;
    private final byte[] bytes;

    private MarshalledBody(Signature signature, byte[] bytes) {
        this.signature = signature;
        this.bytes = bytes;
    }

    /**
     * {@return the marshalled values}
     *
     * @param signature the types of the values
     * @param values the values, as {@link Values#writeAll} accepts them
     * @throws IllegalArgumentException if the values do not fit the signature
     */
    public static MarshalledBody of(Signature signature, List<?> values) {
        MessageWriter writer = new MessageWriter().methodReturn(1).serial(1);
        BodyWriter body = writer.body(signature);
        Values.writeAll(body, values);
        MemorySegment message = body.end().finish();
        long start = message.byteSize() - message.get(ValueLayout.JAVA_INT_UNALIGNED, BODY_LENGTH);
        return new MarshalledBody(signature, message.asSlice(start).toArray(ValueLayout.JAVA_BYTE));
    }

    /** {@return the types of the values} */
    public Signature signature() {
        return signature;
    }

    /** {@return the length in bytes} */
    public int length() {
        return bytes.length;
    }

    byte[] bytes() {
        return bytes;
    }

    @Override
    public String toString() {
        return bytes.length + " bytes of " + signature;
    }
}
