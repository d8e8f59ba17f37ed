package io.holdfast.manager.runtime;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.UUID;

/** Makes the ids that distinguish the runs of units. */
public final class InvocationId {
    private InvocationId() {}

    /** Returns 32 hexadecimal digits that no other run has. */
    public static String next() {
        UUID uuid = UUID.randomUUID();
        byte[] bytes =
                ByteBuffer.allocate(16)
                        .putLong(uuid.getMostSignificantBits())
                        .putLong(uuid.getLeastSignificantBits())
                        .array();
        return HexFormat.of().formatHex(bytes);
    }
}
