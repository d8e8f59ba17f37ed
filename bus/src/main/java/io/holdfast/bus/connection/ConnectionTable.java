package io.holdfast.bus.connection;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The registered connections by the number in their unique name; numbers are never used twice. */
public final class ConnectionTable {
    private @Nullable Connection[] table = new @Nullable Connection[64]; // open addressing
    private int size;

    public int size() {
        return size;
    }

    @Nullable Connection find(long id) {
        int mask = table.length - 1;
        int at = (int) id & mask;
        for (Connection found = table[at]; found != null; found = table[at]) {
            if (found.id() == id) {
                return found;
            }
            at = at + 1 & mask;
        }
        return null;
    }

    void add(Connection connection) {
        if (size * 2 >= table.length) {
            resize(table.length * 2);
        }
        place(connection);
        size++;
    }

    private void place(Connection connection) {
        int mask = table.length - 1;
        int at = (int) connection.id() & mask;
        while (table[at] != null) {
            at = at + 1 & mask;
        }
        table[at] = connection;
    }

    /** Closes the gap that it leaves: whoever was pushed past it moves up. */
    void remove(Connection gone) {
        int mask = table.length - 1;
        int gap = (int) gone.id() & mask;
        while (table[gap] != gone) {
            if (table[gap] == null) {
                return;
            }
            gap = gap + 1 & mask;
        }
        table[gap] = null;
        size--;
        int at = gap;
        while (true) {
            at = at + 1 & mask;
            Connection next = table[at];
            if (next == null) {
                break;
            }
            if ((at - ((int) next.id() & mask) & mask) >= (at - gap & mask)) {
                table[gap] = next;
                table[at] = null;
                gap = at;
            }
        }
        if (table.length > 64 && size * 8 < table.length) {
            resize(table.length / 2);
        }
    }

    private void resize(int length) {
        @Nullable Connection[] old = table;
        table = new @Nullable Connection[length];
        for (Connection connection : old) {
            if (connection != null) {
                place(connection);
            }
        }
    }

    /** All of them, the oldest first. */
    public List<Connection> all() {
        List<Connection> all = new ArrayList<>(size);
        for (Connection connection : table) {
            if (connection != null) {
                all.add(connection);
            }
        }
        all.sort(Comparator.comparingLong(Connection::id));
        return all;
    }
}
