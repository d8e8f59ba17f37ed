package io.holdfast.bus.config;

import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The limits of a bus, with the values that dbus-daemon(1) has built in. The limits per user
 * instead of per connection are additions of this bus (they bound what one user's connections take
 * together), and so are those of variables, of tables and of a service manager that has left.
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
     * Milliseconds in which a service manager that has left the bus may come back. Until then the
     * starts that it is to do wait; after that they are refused.
     */
    SERVICE_MANAGER_RETURN_TIMEOUT(5_000),
    /** Milliseconds that a connection has to authenticate and say Hello. */
    AUTH_TIMEOUT(30_000),
    /** Milliseconds that descriptors may wait for the rest of their message. */
    PENDING_FD_TIMEOUT(150_000),
    /**
     * Connections that said Hello. Half of them are for root and the user of the bus. When half of
     * the others are taken, the rest is shared among the users who have some.
     */
    MAX_COMPLETED_CONNECTIONS(2048),
    /** Connections that have not said Hello yet. */
    MAX_INCOMPLETE_CONNECTIONS(64),
    MAX_CONNECTIONS_PER_USER(256),
    /** Connections that one user may open at once; root and the user of the bus are exempt. */
    MAX_CONNECTS_AT_ONCE_PER_USER(256),
    /** Connections that the same user may open per second after that. */
    MAX_CONNECTS_PER_SECOND_PER_USER(100),
    /** Sockets of apps in containers that the bus listens on. */
    MAX_CONTAINERS(512),
    MAX_CONTAINERS_PER_USER(16),
    /** Bytes of the call that describes one such app. */
    MAX_CONTAINER_METADATA_BYTES(4_096),
    MAX_CONNECTIONS_PER_CONTAINER(8),
    /** Services that are being started at once. */
    MAX_PENDING_SERVICE_STARTS(512),
    /** Variables that UpdateActivationEnvironment may set in total. */
    MAX_ACTIVATION_VARIABLES(4_096),
    /** Bytes of their names and values. */
    MAX_ACTIVATION_VARIABLE_BYTES(1 << 20),
    /** Names of one connection, its unique name included. */
    MAX_NAMES_PER_CONNECTION(512),
    /** A rule with several argument tests counts once for each of them. */
    MAX_MATCH_RULES_PER_CONNECTION(512),
    /** Calls of one connection that wait for a reply. */
    MAX_REPLIES_PER_CONNECTION(128),
    /**
     * Estimated bytes of the tables for connections, names, rules and waiting calls, of all users;
     * at most half of the memory of this JVM. One user gets at most half of them; the fuller they
     * are, the less one connection or user may take.
     */
    MAX_TABLE_BYTES(256L << 20),
    /**
     * Descriptors of connections and of messages in transit, of all users; at most what
     * RLIMIT_NOFILE leaves after the bus has reserved some for itself. Half of them are for root
     * and the user of the bus. Of the others, each user gets at most half of what the rest leave,
     * whoever receives its messages.
     */
    MAX_UNIX_FDS(1L << 20),
    /** Milliseconds that a call may wait for its reply; {@link Limits#NONE} for no limit. */
    REPLY_TIMEOUT(Limits.NONE),
    /** Bytes of rules and of messages in transit. */
    MAX_BYTES_PER_USER(512L << 20),
    /** Descriptors of connections and of messages in transit. */
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

    /** Returns whether it is a limit per connection: the owner of a name can have its own. */
    public boolean isOfConnection() {
        return OF_CONNECTION.contains(this);
    }

    /** Returns whether a user can have its own. */
    public boolean isOfUser() {
        return isOfConnection() || OF_USER.contains(this);
    }

    /** Returns the value that applies where nothing is configured. */
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

    /** Returns the limit's name in busconfig files. */
    @Override
    public String toString() {
        return text;
    }
}
