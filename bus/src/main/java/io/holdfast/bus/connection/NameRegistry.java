package io.holdfast.bus.connection;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.util.Objects.requireNonNull;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The owner of each well-known name, and the connections that wait for it (D-Bus Specification,
 * "Message Bus Names").
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

    private final Map<Long, Connection> uniqueNames;
    private final Listener listener;
    private final Map<String, BusName> names = new HashMap<>();

    /**
     * @param uniqueNames the connections by the number in their unique name
     */
    public NameRegistry(Map<Long, Connection> uniqueNames, Listener listener) {
        this.uniqueNames = uniqueNames;
        this.listener = listener;
    }

    /** Returns the connection to which a message is addressed; or null. */
    public @Nullable Connection destination(MessageView message) {
        MemorySegment bytes = message.bytes();
        int offset = message.offset(HeaderField.DESTINATION);
        if (bytes.get(JAVA_BYTE, offset) == UNIQUE) { // parsed without making a String
            return uniqueNames.get(
                    UniqueName.number(bytes, offset, message.length(HeaderField.DESTINATION)));
        }
        return owner(names.get(message.destination()));
    }

    /** Returns the connection with a name, unique or well-known; or null. */
    public @Nullable Connection connection(String name) {
        return name.startsWith(":")
                ? uniqueNames.get(UniqueName.number(name))
                : owner(names.get(name));
    }

    private static @Nullable Connection owner(@Nullable BusName name) {
        return name == null ? null : name.owner();
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
        return names.size();
    }

    /** Returns a name; null if it has no owner. */
    public @Nullable BusName find(String name) {
        return names.get(name);
    }

    /** Returns all owned names, in no order. */
    public Collection<BusName> all() {
        return names.values();
    }

    /**
     * Requests a name for a connection.
     *
     * @param charge closed when the connection leaves the queue of the name; null if the connection
     *     is in the queue already. If it is not added to the queue, the caller closes the charge
     */
    public Request request(String text, Connection by, int flags, @Nullable Charge charge) {
        int kept = flags & (ALLOW_REPLACEMENT | DO_NOT_QUEUE);
        BusName name = find(text);
        if (name == null) {
            name = new BusName(text);
            names.put(text, name);
            enqueue(name, 0, by, kept, charge);
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
                BusName.QueuedOwner moved = name.queue.remove(place);
                moved.flags = kept;
                name.queue.addFirst(moved);
            } else {
                enqueue(name, 0, by, kept, charge);
            }
            if ((primary.flags & DO_NOT_QUEUE) != 0) {
                dequeue(name, 1);
            }
            listener.ownerChanged(name, primary.connection, by);
            return Request.PRIMARY_OWNER;
        }
        if ((flags & DO_NOT_QUEUE) != 0) {
            if (place >= 0) {
                dequeue(name, place);
            }
            return Request.EXISTS;
        }
        if (place >= 0) {
            name.queue.get(place).flags = kept;
        } else {
            enqueue(name, name.queue.size(), by, kept, charge);
        }
        return Request.IN_QUEUE;
    }

    private static void enqueue(
            BusName name, int place, Connection by, int flags, @Nullable Charge charge) {
        name.queue.add(place, new BusName.QueuedOwner(by, flags, requireNonNull(charge)));
        by.nameAdded(name);
    }

    private static void dequeue(BusName name, int place) {
        BusName.QueuedOwner gone = name.queue.remove(place);
        gone.connection.nameRemoved(name);
        gone.charge.close();
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
        dequeue(name, place);
        if (name.queue.isEmpty()) {
            names.remove(name.toString());
        }
        if (place == 0) {
            listener.ownerChanged(name, by, name.owner());
        }
        return true;
    }
}
