package io.holdfast.bus.connection;

import io.holdfast.dbus.wire.MessageView;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A well-known name, with its owner and the connections that wait for it. */
public final class BusName implements HashedTable.Entry {
    /** One connection in the queue of a name, with the flags of its last request. */
    public static final class QueuedOwner {
        public final Connection connection;
        int flags;

        QueuedOwner(Connection connection, int flags) {
            this.connection = connection;
            this.flags = flags;
        }
    }

    private final String text;
    private final byte[] bytes;
    private final int hash;
    public final List<QueuedOwner> queue = new ArrayList<>(1); // the first owns it

    BusName(String text) {
        this.text = text;
        this.bytes = text.getBytes(StandardCharsets.US_ASCII);
        this.hash = MessageView.hash(bytes);
    }

    @Override
    public int hash() {
        return hash;
    }

    byte[] bytes() {
        return bytes;
    }

    /** Returns the primary owner, or null. */
    public @Nullable Connection owner() {
        return queue.isEmpty() ? null : queue.getFirst().connection;
    }

    public int indexOf(Connection connection) {
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
