package io.holdfast.bus;

import java.util.List;
import java.util.Map;

/**
 * How full a bus is, and by whom, at one moment.
 *
 * @param accepted connections since it began
 * @param refused of those, who were not let in
 * @param disconnects connections that ended, for whatever reason
 * @param messagesIn what came from all of them since it began
 * @param refusals what was refused to anybody
 * @param pendingReplies calls that wait for a reply
 * @param matchRules of all connections
 * @param names well-known names that are owned
 * @param bufferBytes native memory that holds messages now
 * @param handlerErrors faults of the bus itself, which it survived
 * @param connections those that are there
 * @param users those that have something here, and the last ones that had
 */
public record BusMetrics(
        long accepted,
        long refused,
        long disconnects,
        long messagesIn,
        Refusals refusals,
        int pendingReplies,
        int matchRules,
        int names,
        long bufferBytes,
        long handlerErrors,
        List<OfConnection> connections,
        List<OfUser> users) {
    public BusMetrics {
        connections = List.copyOf(connections);
        users = List.copyOf(users);
    }

    /**
     * What was refused, how often. Kinds that there were not are not in it.
     *
     * @param limits by the name of the limit in busconfig files: how often it stood against
     *     something; of the receiver's whose queue is full, not the sender's
     * @param messages by the name of the error, {@code AccessDenied}: messages that were not passed
     *     on
     * @param disconnects by reason, {@code Malformed} or {@code Limit}: connections that ended; of
     *     the bus and of users
     */
    public record Refusals(
            Map<String, Long> limits, Map<String, Long> messages, Map<String, Long> disconnects) {
        public Refusals {
            limits = Map.copyOf(limits);
            messages = Map.copyOf(messages);
            disconnects = Map.copyOf(disconnects);
        }
    }

    /**
     * One connection that has said Hello.
     *
     * @param name its unique name
     * @param process who it is, for people
     * @param messagesIn what came from it, since it is there
     * @param queuedBytes what it is still to get
     * @param peakQueuedBytes the most that waited at any time
     * @param queuedDescriptors those of messages that it is still to get
     * @param owned the well-known names that it owns
     * @param refused messages of its own that were not passed on
     */
    public record OfConnection(
            String name,
            String process,
            long uid,
            long messagesIn,
            long bytesIn,
            long messagesOut,
            long bytesOut,
            long queuedBytes,
            long peakQueuedBytes,
            int queuedDescriptors,
            List<String> owned,
            int matchRules,
            int names,
            int pendingReplies,
            long refused,
            Refusals refusals) {
        public OfConnection {
            owned = List.copyOf(owned);
        }
    }

    /**
     * All connections of one user together.
     *
     * @param bytesByActor of the bytes, whom the user owes them to: a receiver that does not read
     *     is full of what others sent
     * @param refusals of all its connections, also of those that are gone
     */
    public record OfUser(
            long uid,
            int connections,
            long bytes,
            long descriptors,
            long matchRules,
            long objects,
            Map<Long, Long> bytesByActor,
            Refusals refusals) {
        public OfUser {
            bytesByActor = Map.copyOf(bytesByActor);
        }
    }
}
