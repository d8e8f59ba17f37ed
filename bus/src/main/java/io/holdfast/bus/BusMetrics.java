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
 * @param pendingReplies calls that wait for a reply
 * @param matchRules of all connections
 * @param names well-known names that are owned
 * @param bufferBytes native memory that holds messages now
 * @param handlerErrors faults of the bus itself, which it survived
 */
public record BusMetrics(
        long accepted,
        long refused,
        long disconnects,
        long messagesIn,
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
     * One connection that has said Hello.
     *
     * @param name its unique name
     * @param process who it is, for people
     * @param messagesIn what came from it, since it is there
     * @param queuedBytes what it is still to get
     * @param peakQueuedBytes the most that waited at any time
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
            int matchRules,
            int names,
            int pendingReplies,
            long refused) {}

    /**
     * All connections of one user together.
     *
     * @param bytesByActor of the bytes, whom the user owes them to: a receiver that does not read
     *     is full of what others sent
     */
    public record OfUser(
            long uid,
            int connections,
            long bytes,
            long descriptors,
            long matchRules,
            long objects,
            Map<Long, Long> bytesByActor) {
        public OfUser {
            bytesByActor = Map.copyOf(bytesByActor);
        }
    }
}
