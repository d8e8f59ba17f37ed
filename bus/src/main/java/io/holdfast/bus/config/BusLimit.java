package io.holdfast.bus.config;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a bus limits, with the values that dbus-daemon(1) has built in. Those per user and not per
 * connection are ours (what one user's connections may take together), and so are those of
 * variables, of tables and of a service manager that has left.
 */
public enum BusLimit {
    /** Bytes that were received from one connection and wait to be handled. */
    MAX_INCOMING_BYTES(127L << 20),
    /** Descriptors of such messages. */
    MAX_INCOMING_UNIX_FDS(64),
    /** Bytes that wait to be sent to one connection. */
    MAX_OUTGOING_BYTES(127L << 20),
    /** Descriptors of such messages. */
    MAX_OUTGOING_UNIX_FDS(64),
    /** Bytes of one message. The protocol's own limit of 128 MiB holds too. */
    MAX_MESSAGE_SIZE(32L << 20),
    /** Descriptors of one message. The kernel's own limit of 253 holds too. */
    MAX_MESSAGE_UNIX_FDS(16),
    /** Milliseconds that a service has to start. */
    SERVICE_START_TIMEOUT(25_000),
    /**
     * Milliseconds that a service manager that has left the bus has to come back. Until then what
     * it was to start waits for it; from then on that is refused.
     */
    SERVICE_MANAGER_RETURN_TIMEOUT(5_000),
    /** Milliseconds that a connection has to authenticate and say Hello. */
    AUTH_TIMEOUT(30_000),
    /** Milliseconds that descriptors may be here while their message is not complete. */
    PENDING_FD_TIMEOUT(150_000),
    /** Connections that said Hello. */
    MAX_COMPLETED_CONNECTIONS(2048),
    /** Connections that have not said Hello yet. */
    MAX_INCOMPLETE_CONNECTIONS(64),
    MAX_CONNECTIONS_PER_USER(256),
    /** Connections that one user may open at once, but for root and the user of the bus. */
    MAX_CONNECTS_AT_ONCE_PER_USER(256),
    /** Connections that such a user may open in a second after that. */
    MAX_CONNECTS_PER_SECOND_PER_USER(100),
    /** Sockets of apps in containers that the bus listens on. */
    MAX_CONTAINERS(512),
    MAX_CONTAINERS_PER_USER(16),
    /** Bytes of all that is said of one such app. */
    MAX_CONTAINER_METADATA_BYTES(4_096),
    MAX_CONNECTIONS_PER_CONTAINER(8),
    /** Services that are being started at once. */
    MAX_PENDING_SERVICE_STARTS(512),
    /** Variables that UpdateActivationEnvironment may set, in all. */
    MAX_ACTIVATION_VARIABLES(4_096),
    /** Bytes of their names and values. */
    MAX_ACTIVATION_VARIABLE_BYTES(1 << 20),
    /** Names of one connection, its unique name included. */
    MAX_NAMES_PER_CONNECTION(512),
    MAX_MATCH_RULES_PER_CONNECTION(512),
    /** Calls of one connection that wait for a reply. */
    MAX_REPLIES_PER_CONNECTION(128),
    /**
     * Bytes of tables for connections, names, rules and waiting calls, of all users, as they are
     * counted; half of the memory of this JVM at most. One user has at most half of them; the
     * fuller they are the smaller is what one connection, or user, may take.
     */
    MAX_TABLE_BYTES(256L << 20),
    /**
     * Descriptors of connections and of messages on their way, of all users; at most what
     * RLIMIT_NOFILE leaves when the bus has kept some for itself. Half of them are for root and the
     * user of the bus. Of the others each user has at most half of what the rest leave, whoever he
     * sends his messages to.
     */
    MAX_UNIX_FDS(1L << 20),
    /** Milliseconds that a call may wait for its reply; {@link Limits#NONE} if for ever. */
    REPLY_TIMEOUT(Limits.NONE),
    /** Bytes of rules and of messages on their way in and out. */
    MAX_BYTES_PER_USER(512L << 20),
    /** Descriptors of connections and of messages on their way. */
    MAX_UNIX_FDS_PER_USER(16_384),
    MAX_MATCH_RULES_PER_USER(16_384),
    /** Connections, names, and calls that wait for a reply. */
    MAX_OBJECTS_PER_USER(16L << 20);

    private final String text = name().toLowerCase(Locale.ROOT);
    private final long builtIn;

    BusLimit(long builtIn) {
        this.builtIn = builtIn;
    }

    private static final Set<BusLimit> OF_CONNECTION =
            EnumSet.of(
                    MAX_INCOMING_BYTES,
                    MAX_INCOMING_UNIX_FDS,
                    MAX_OUTGOING_BYTES,
                    MAX_OUTGOING_UNIX_FDS,
                    MAX_NAMES_PER_CONNECTION,
                    MAX_MATCH_RULES_PER_CONNECTION,
                    MAX_REPLIES_PER_CONNECTION);

    private static final Set<BusLimit> OF_USER =
            EnumSet.of(
                    MAX_CONNECTIONS_PER_USER,
                    MAX_BYTES_PER_USER,
                    MAX_UNIX_FDS_PER_USER,
                    MAX_MATCH_RULES_PER_USER,
                    MAX_OBJECTS_PER_USER);

    /** Whether it is about one connection: the owner of a name can have its own. */
    public boolean isOfConnection() {
        return OF_CONNECTION.contains(this);
    }

    /** Whether a user can have its own. */
    public boolean isOfUser() {
        return isOfConnection() || OF_USER.contains(this);
    }

    /** The value where nothing else is configured. */
    public long builtIn() {
        return builtIn;
    }

    static @Nullable BusLimit named(String text) {
        for (BusLimit limit : values()) {
            if (limit.text.equals(text)) {
                return limit;
            }
        }
        return null;
    }

    /** The name that it has in busconfig files. */
    @Override
    public String toString() {
        return text;
    }
}
