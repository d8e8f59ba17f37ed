package io.holdfast.journal.format;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Little-endian numbers in arrays. */
public final class Bytes {
    private static final VarHandle LONG =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INT =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private Bytes() {}

    /** Returns the 64-bit number at an index. */
    public static long getLong(byte[] bytes, int at) {
        return (long) LONG.get(bytes, at);
    }

    /** Returns the 32-bit number at an index. */
    public static int getInt(byte[] bytes, int at) {
        return (int) INT.get(bytes, at);
    }

    /** Returns the 32-bit number at an index, unsigned. */
    public static long getUnsigned(byte[] bytes, int at) {
        return Integer.toUnsignedLong(getInt(bytes, at));
    }

    /** Stores a 64-bit number. */
    public static void putLong(byte[] bytes, int at, long value) {
        LONG.set(bytes, at, value);
    }

    /** Stores a 32-bit number. */
    public static void putInt(byte[] bytes, int at, int value) {
        INT.set(bytes, at, value);
    }
}
