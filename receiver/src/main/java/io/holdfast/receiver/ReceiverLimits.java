package io.holdfast.receiver;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/** The limits of a receiver, each a system property {@code io.holdfast.receiver.NAME}. */
public final class ReceiverLimits {
    public static final Limit LINE =
            Limit.bytes(
                    "io.holdfast.receiver.line",
                    48 << 10,
                    "bytes of one line of a stream; a longer one becomes several entries");

    public static final Limit MESSAGE =
            Limit.bytes(
                    "io.holdfast.receiver.message",
                    16 << 20,
                    "bytes of one native message; a longer one in a file is refused, else its rest is lost");

    public static final Limit DATAGRAM =
            Limit.bytes(
                    "io.holdfast.receiver.datagram",
                    256 << 10,
                    "bytes of one message of syslog(3); the rest of a longer one is lost");

    public static final Limit FIELDS =
            Limit.count("io.holdfast.receiver.fields", 1024, "fields of one entry");

    public static final Limit ENTRIES =
            Limit.count(
                    "io.holdfast.receiver.entries",
                    1024,
                    "entries of one native message; further ones are lost");

    public static final Limit STREAMS =
            Limit.count(
                    "io.holdfast.receiver.streams",
                    4096,
                    "streams that are open; further ones are refused");

    public static final Limit STREAMS_OF_USER =
            Limit.count(
                    "io.holdfast.receiver.streamsOfUser",
                    512,
                    "streams that one user other than root has open");

    public static final Limit WINDOWS =
            Limit.bytes(
                    "io.holdfast.receiver.windows",
                    32 << 20,
                    "bytes of streams whose lines arrive faster than they are stored; others get 8"
                            + " KiB each, and wait for the disk");

    public static final Limit WAITING =
            Limit.bytes(
                    "io.holdfast.receiver.waiting",
                    4 << 20,
                    "bytes of entries that wait for the disk; then messages wait in their sockets");

    public static final Limit SENDERS =
            Limit.count(
                    "io.holdfast.receiver.senders",
                    4096,
                    "processes and cgroups whose names are remembered");

    public static final Limit SENDER_AGE =
            Limit.time(
                    "io.holdfast.receiver.senderAge",
                    Duration.ofSeconds(1),
                    "time for which what was read about a process is used again");

    public static final Limit ANCESTORS =
            Limit.count(
                    "io.holdfast.receiver.ancestors",
                    64,
                    "ancestors of a sender that are searched for its unit, where units have no"
                            + " cgroups");

    public static final Limit RATE_INTERVAL =
            Limit.time(
                    "io.holdfast.receiver.rateInterval",
                    Duration.ofSeconds(30),
                    "interval of the rate limit of each unit or user");

    public static final Limit RATE_BURST =
            Limit.count(
                    "io.holdfast.receiver.rateBurst",
                    10_000,
                    "messages of a unit or user within one interval, of up to 16 KiB and 31 fields, larger ones count"
                            + " as several; further ones are dropped and counted");

    public static final Limit USER_FILES =
            Limit.count(
                    "io.holdfast.receiver.userFiles", 64, "files of users that are open at once");

    private ReceiverLimits() {}

    /** {@return all of them} */
    public static List<Limit> all() {
        return List.of(
                LINE,
                MESSAGE,
                DATAGRAM,
                FIELDS,
                ENTRIES,
                STREAMS,
                STREAMS_OF_USER,
                WINDOWS,
                WAITING,
                SENDERS,
                SENDER_AGE,
                ANCESTORS,
                RATE_INTERVAL,
                RATE_BURST,
                USER_FILES);
    }
}
