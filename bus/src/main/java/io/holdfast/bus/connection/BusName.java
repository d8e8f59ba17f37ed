package io.holdfast.bus.connection;

import io.holdfast.bus.account.Charge;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A well-known name, with its owner and the connections that wait for it. */
public final class BusName {
    /** One connection in the queue of a name, with the flags of its last request. */
    public static final class QueuedOwner {
        public final Connection connection;
        final Charge charge;
        int flags;

        QueuedOwner(Connection connection, int flags, Charge charge) {
            this.connection = connection;
            this.flags = flags;
            this.charge = charge;
        }
    }

    private final String text;
    public final List<QueuedOwner> queue = new ArrayList<>(1); // the first owns it

    BusName(String text) {
        this.text = text;
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
