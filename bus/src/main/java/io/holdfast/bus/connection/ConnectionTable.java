package io.holdfast.bus.connection;

import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The registered connections by the number in their unique name; numbers are never used twice. */
public final class ConnectionTable {
    private final HashedTable<Connection> table = new HashedTable<>();

    public int size() {
        return table.size();
    }

    @Nullable Connection find(long id) {
        int slot = table.slotOf(Long.hashCode(id));
        for (Connection found = table.get(slot); found != null; found = table.get(slot)) {
            if (found.id() == id) {
                return found;
            }
            slot = table.after(slot);
        }
        return null;
    }

    void add(Connection connection) {
        table.add(connection);
    }

    void remove(Connection gone) {
        table.remove(gone);
    }

    /** All of them, the oldest first. */
    public List<Connection> all() {
        List<Connection> all = table.all();
        all.sort(Comparator.comparingLong(Connection::id));
        return all;
    }
}
