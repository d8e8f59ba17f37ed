package io.holdfast.dbus;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Reads the reply of {@code GetConnectionCredentials}. */
final class BusCredentials {
    /** The id that no user and no group has. */
    private static final long NO_ID = 0xFFFFFFFFL;

    private BusCredentials() {}

    /**
     * Returns the peer that a bus describes: a held one if the bus returned a pidfd.
     *
     * @throws DBusException INCONSISTENT_MESSAGE if a value has another type, or the descriptor is
     *     no pidfd
     */
    static Peer peer(Message reply) {
        List<Object> values = reply.values();
        if (values.size() != 1 || !(values.getFirst() instanceof Map<?, ?> map)) {
            throw inconsistent("no a{sv} but " + reply.signature());
        }
        int pid = (int) number(map, "ProcessID", 0);
        long uid = number(map, "UnixUserID", NO_ID);
        List<Long> groups = groups(value(map, "UnixGroupIDs"));
        Optional<String> label = label(value(map, "LinuxSecurityLabel"));
        return switch (value(map, "ProcessFD")) {
            case null -> new Peer.BestEffort(pid, uid, NO_ID, groups, label);
            case Handle(int index) ->
                    new Peer.Held(process(reply, index), pid, uid, NO_ID, groups, label);
            case Object other -> throw inconsistent("ProcessFD is " + other);
        };
    }

    private static PidFd process(Message reply, int index) {
        List<Fd> descriptors = reply.descriptors();
        if (index < 0 || index >= descriptors.size()) {
            throw inconsistent("ProcessFD without descriptor");
        }
        try {
            return PidFd.adopt(descriptors.get(index));
        } catch (ErrnoException e) {
            throw inconsistent("ProcessFD: " + e.getMessage());
        }
    }

    private static @Nullable Object value(Map<?, ?> map, String key) {
        Object value = map.get(key);
        return value instanceof Variant variant ? variant.value() : value;
    }

    private static long number(Map<?, ?> map, String key, long otherwise) {
        return switch (value(map, key)) {
            case null -> otherwise;
            case Long number -> number;
            case Object other -> throw inconsistent(key + " is " + other);
        };
    }

    private static List<Long> groups(@Nullable Object value) {
        List<Long> groups = new ArrayList<>();
        if (value instanceof List<?> list) {
            for (Object group : list) {
                if (!(group instanceof Long number)) {
                    throw inconsistent("UnixGroupIDs has " + group);
                }
                groups.add(number);
            }
        } else if (value != null) {
            throw inconsistent("UnixGroupIDs is " + value);
        }
        return List.copyOf(groups);
    }

    /** Decodes bytes that end with a NUL. */
    private static Optional<String> label(@Nullable Object value) {
        if (!(value instanceof byte[] bytes)) {
            return Optional.empty();
        }
        int length = bytes.length;
        while (length > 0 && bytes[length - 1] == 0) {
            length--;
        }
        return length == 0
                ? Optional.empty()
                : Optional.of(new String(bytes, 0, length, StandardCharsets.UTF_8));
    }

    private static DBusException inconsistent(String what) {
        return new DBusException(
                DBusException.INCONSISTENT_MESSAGE,
                "GetConnectionCredentials: unexpected reply: " + what);
    }
}
