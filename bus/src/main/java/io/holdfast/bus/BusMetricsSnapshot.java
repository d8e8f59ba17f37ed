package io.holdfast.bus;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.ConnectionCounters;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.RefusalCounts;
import io.holdfast.bus.connection.BusName;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.match.MatchIndex;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Takes the metrics of a bus, on its thread. */
final class BusMetricsSnapshot {
    private BusMetricsSnapshot() {}

    static BusMetrics of(
            Connections open,
            NameRegistry names,
            MatchIndex<Connection> matches,
            PendingReplies replies) {
        BusCounters counters = open.counters();
        Quota quota = open.charges().quota();
        List<BusMetrics.OfConnection> connections = new ArrayList<>();
        open.registered().values().forEach(one -> connections.add(of(one, matches)));
        List<BusMetrics.OfUser> users = new ArrayList<>();
        quota.usage().forEach(usage -> users.add(of(usage)));
        quota.past().forEach(usage -> users.add(of(usage)));
        return new BusMetrics(
                counters.accepted,
                counters.refusedAtAccept,
                quota.tally().allEnds(),
                counters.messagesIn,
                of(quota.tally()),
                replies.size(),
                matches.size(),
                names.size(),
                open.buffers().inUse(),
                open.loop().errors(),
                connections,
                users);
    }

    private static BusMetrics.Refusals of(RefusalCounts tally) {
        return new BusMetrics.Refusals(tally.limits(), tally.errors(), tally.ends());
    }

    private static BusMetrics.OfConnection of(
            Connection connection, MatchIndex<Connection> matches) {
        ConnectionCounters counters = connection.counters;
        return new BusMetrics.OfConnection(
                connection.name(),
                connection.peer().toString(),
                connection.peer().uid(),
                counters.messagesIn,
                counters.bytesIn,
                counters.messagesOut,
                counters.bytesOut,
                connection.out().bytes(),
                counters.peakQueued,
                connection.out().descriptors(),
                connection.owned().stream()
                        .filter(name -> name.owner() == connection)
                        .map(BusName::toString)
                        .toList(),
                matches.size(connection),
                connection.names(),
                connection.outstandingCalls(),
                connection.account().tally().refusedMessages(),
                of(connection.account().tally()));
    }

    private static BusMetrics.OfUser of(Quota.Usage usage) {
        Map<Long, Long> bytesByActor = new HashMap<>();
        usage.byActor().forEach((uid, used) -> bytesByActor.put(uid, used.get(Quota.BYTES)));
        return new BusMetrics.OfUser(
                usage.uid(),
                usage.connections(),
                usage.used().get(Quota.BYTES),
                usage.used().get(Quota.FDS),
                usage.used().get(Quota.MATCHES),
                usage.used().get(Quota.OBJECTS),
                bytesByActor,
                of(usage.tally()));
    }
}
