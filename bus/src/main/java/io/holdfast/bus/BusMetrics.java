package io.holdfast.bus;

import java.util.List;
import java.util.Map;

/**
 * How full a bus is, and which connections and users fill it, at one moment.
 *
 * @param accepted connections accepted since the bus was opened
 * @param refused connections that were accepted and closed at once, before authentication
 * @param disconnects connections that ended, for any reason
 * @param messagesIn messages received from all clients since the bus was opened
 * @param refusals what was refused to all clients
 * @param pendingReplies calls that wait for a reply
 * @param matchRules match rules of all connections
 * @param names well-known names that are owned
 * @param bufferBytes native memory that holds messages now
 * @param handlerErrors exceptions of the bus's own event handlers, which it survived
 * @param connections the connections that are registered now
 * @param users the users that hold something now, and the latest ones that did
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
     * What was refused, how often. A limit, error or reason with the count 0 is absent.
     *
     * @param limits refusals by limit, under the limit's name in busconfig files; if a queue is
     *     full, they count for its receiver, not for the sender
     * @param messages messages that were not delivered, by the name of the error, for example
     *     {@code AccessDenied}
     * @param disconnects connections that ended, by reason, for example {@code Malformed} or {@code
     *     Limit}; counted for the bus and for users, not for connections
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
     * @param process its process, for people
     * @param messagesIn messages received from it since it connected
     * @param queuedBytes bytes in its queue, not sent yet
     * @param peakQueuedBytes the most bytes that its queue ever held
     * @param queuedDescriptors descriptors in its queue, not sent yet
     * @param owned the well-known names that it owns
     * @param refused messages from it that were not delivered
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
     * @param bytesByActor the bytes charged to this user, by the uid of the user that caused them:
     *     the queue of a receiver that does not read is full of messages from others
     * @param refusals what was refused to all of its connections, including those that have ended
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
