package io.holdfast.bus.connection;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.wire.MessageView;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The owner of each well-known name, and the connections that wait for it (D-Bus Specification,
 * "Message Bus Names"). A name is looked up by the bytes of a message, without making a String.
 */
public final class NameRegistry {
    static final int ALLOW_REPLACEMENT = 1;
    static final int REPLACE_EXISTING = 2;
    static final int DO_NOT_QUEUE = 4;

    /** The replies to RequestName. */
    public enum Request {
        PRIMARY_OWNER(1),
        IN_QUEUE(2),
        EXISTS(3),
        ALREADY_OWNER(4);

        public final int code;

        Request(int code) {
            this.code = code;
        }
    }

    /** The replies to ReleaseName. */
    public enum Release {
        RELEASED(1),
        NON_EXISTENT(2),
        NOT_OWNER(3);

        public final int code;

        Release(int code) {
            this.code = code;
        }
    }

    /** Receives each change of a primary owner, while it happens. */
    public interface Listener {
        void ownerChanged(BusName name, @Nullable Connection from, @Nullable Connection to);
    }

    private static final byte UNIQUE = ':';

    private final ConnectionTable uniqueNames;
    private final Listener listener;
    private final HashedTable<BusName> table = new HashedTable<>();

    public NameRegistry(ConnectionTable uniqueNames, Listener listener) {
        this.uniqueNames = uniqueNames;
        this.listener = listener;
    }

    /**
     * Returns the connection with a name, unique or well-known, from the bytes of a message; or
     * null.
     */
    public @Nullable Connection connection(MemorySegment bytes, int offset, int length) {
        if (length > 0 && bytes.get(JAVA_BYTE, offset) == UNIQUE) {
            long number = UniqueName.number(bytes, offset, length);
            return number < 0 ? null : uniqueNames.find(number);
        }
        BusName name = find(bytes, offset, length);
        return name == null ? null : name.owner();
    }

    public @Nullable Connection connection(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return connection(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    /**
     * Returns the connection with a name.
     *
     * @throws BusErrorException NameHasNoOwner if there is none
     */
    public Connection owner(String name) throws BusErrorException {
        Connection owner = connection(name);
        if (owner == null) {
            throw new BusErrorException(
                    BusError.NAME_HAS_NO_OWNER, "name " + name + " has no owner");
        }
        return owner;
    }

    /** Returns whether a name has an owner; the bus owns its own name. */
    public boolean isOwned(String name) {
        return name.equals(BusNames.BUS) || connection(name) != null;
    }

    /** Returns the number of owned names. */
    public int size() {
        return table.size();
    }

    /** Returns a name from the bytes of a message; null if it has no owner. */
    public @Nullable BusName find(MemorySegment bytes, int offset, int length) {
        int slot = table.slotOf(MessageView.hash(bytes, offset, length));
        for (BusName name = table.get(slot); name != null; name = table.get(slot)) {
            if (name.bytes().length == length && same(name.bytes(), bytes, offset)) {
                return name;
            }
            slot = table.after(slot);
        }
        return null;
    }

    private static boolean same(byte[] name, MemorySegment bytes, int offset) {
        for (int i = 0; i < name.length; i++) {
            if (bytes.get(JAVA_BYTE, offset + i) != name[i]) {
                return false;
            }
        }
        return true;
    }

    public @Nullable BusName find(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        return find(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    /** Returns all owned names, in no order. */
    public List<BusName> all() {
        return table.all();
    }

    public Request request(String text, Connection by, int flags) {
        int kept = flags & (ALLOW_REPLACEMENT | DO_NOT_QUEUE);
        BusName name = find(text);
        if (name == null) {
            name = new BusName(text);
            table.add(name);
            name.queue.add(new BusName.QueuedOwner(by, kept));
            by.nameAdded(name);
            listener.ownerChanged(name, null, by);
            return Request.PRIMARY_OWNER;
        }
        BusName.QueuedOwner primary = name.queue.getFirst();
        if (primary.connection == by) {
            primary.flags = kept;
            return Request.ALREADY_OWNER;
        }
        int place = name.indexOf(by);
        if ((primary.flags & ALLOW_REPLACEMENT) != 0 && (flags & REPLACE_EXISTING) != 0) {
            if (place >= 0) {
                name.queue.remove(place);
            } else {
                by.nameAdded(name);
            }
            name.queue.addFirst(new BusName.QueuedOwner(by, kept));
            if ((primary.flags & DO_NOT_QUEUE) != 0) {
                name.queue.remove(1);
                primary.connection.nameRemoved(name);
            }
            listener.ownerChanged(name, primary.connection, by);
            return Request.PRIMARY_OWNER;
        }
        if ((flags & DO_NOT_QUEUE) != 0) {
            if (place >= 0) {
                name.queue.remove(place);
                by.nameRemoved(name);
            }
            return Request.EXISTS;
        }
        if (place >= 0) {
            name.queue.get(place).flags = kept;
        } else {
            name.queue.add(new BusName.QueuedOwner(by, kept));
            by.nameAdded(name);
        }
        return Request.IN_QUEUE;
    }

    public Release release(String text, Connection by) {
        BusName name = find(text);
        if (name == null) {
            return Release.NON_EXISTENT;
        }
        return leave(name, by) ? Release.RELEASED : Release.NOT_OWNER;
    }

    /** Releases all names of a connection that leaves, one after the other. */
    public void releaseAll(Connection gone) {
        while (!gone.owned().isEmpty()) {
            boolean ignored = leave(gone.owned().getLast(), gone);
        }
    }

    private boolean leave(BusName name, Connection by) {
        int place = name.indexOf(by);
        if (place < 0) {
            return false;
        }
        name.queue.remove(place);
        by.nameRemoved(name);
        if (name.queue.isEmpty()) {
            table.remove(name);
        }
        if (place == 0) {
            listener.ownerChanged(name, by, name.owner());
        }
        return true;
    }
}
