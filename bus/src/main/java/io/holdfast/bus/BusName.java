package io.holdfast.bus;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A well-known name that somebody owns or waits for, or that messages wait for. */
final class BusName {
    /** One connection in the queue of a name, with what it last asked for. */
    static final class Claim {
        final Connection connection;
        int flags;

        Claim(Connection connection, int flags) {
            this.connection = connection;
            this.flags = flags;
        }
    }

    private final String text;
    private final byte[] bytes;
    final int hash;
    final List<Claim> queue = new ArrayList<>(1); // the first owns it

    BusName(String text, int hash) {
        this.text = text;
        this.bytes = text.getBytes(StandardCharsets.US_ASCII);
        this.hash = hash;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Its primary owner, if it has one. */
    @Nullable Connection owner() {
        return queue.isEmpty() ? null : queue.getFirst().connection;
    }

    int indexOf(Connection connection) {
        for (int i = 0; i < queue.size(); i++) {
            if (queue.get(i).connection == connection) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public String toString() {
        return text;
    }
}
