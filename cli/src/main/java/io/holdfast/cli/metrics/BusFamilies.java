package io.holdfast.cli.metrics;

import io.holdfast.bus.BusMetrics;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * The metrics of a bus: messages sent, queues not read, descriptors held and requests refused, by
 * peer and by user. Peers have the labels {@code name}, {@code process} and {@code uid}; {@code
 * holdfast_bus_name_info} maps each well-known name to the peer that owns it.
 */
public final class BusFamilies {
    private final MetricFamilies families = new MetricFamilies("holdfast_bus_");

    private BusFamilies() {}

    /** Returns the metrics in the OpenMetrics format. */
    public static String text(BusMetrics metrics) {
        BusFamilies all = new BusFamilies();
        all.bus(metrics);
        all.peers(metrics.connections());
        all.users(metrics.users());
        return all.families.text();
    }

    private void bus(BusMetrics bus) {
        families.counter("accepted", "Connections that came.", bus.accepted());
        families.counter("refused_connections", "Connections that were not let in.", bus.refused());
        families.counter("disconnects", "Connections that ended.", bus.disconnects());
        families.counter("messages", "Messages that came.", bus.messagesIn());
        families.counter("faults", "Faults of the bus itself.", bus.handlerErrors());
        families.gauge("pending_replies", "Calls that wait for a reply.", bus.pendingReplies());
        families.gauge("match_rules", "Match rules of all connections.", bus.matchRules());
        families.gauge("names", "Well-known names that are owned.", bus.names());
        families.gauge("buffer_bytes", "Native memory that holds messages.", bus.bufferBytes());
        families.counter(
                "refusals",
                "What was refused: by a limit, a message, a connection.",
                samples -> refusals(samples, bus.refusals()));
    }

    private void peers(List<BusMetrics.OfConnection> peers) {
        counter(
                peers,
                "received_messages",
                "Messages from it.",
                BusMetrics.OfConnection::messagesIn);
        counter(peers, "received_bytes", "Bytes from it.", BusMetrics.OfConnection::bytesIn);
        counter(peers, "sent_messages", "Messages to it.", BusMetrics.OfConnection::messagesOut);
        counter(peers, "sent_bytes", "Bytes to it.", BusMetrics.OfConnection::bytesOut);
        counter(
                peers,
                "refused_messages",
                "Its refused messages.",
                BusMetrics.OfConnection::refused);
        gauge(
                peers,
                "queued_bytes",
                "Bytes it has not read.",
                BusMetrics.OfConnection::queuedBytes);
        gauge(
                peers,
                "peak_queued_bytes",
                "The most bytes that it had not read.",
                BusMetrics.OfConnection::peakQueuedBytes);
        gauge(
                peers,
                "queued_descriptors",
                "Descriptors in messages that it has not read.",
                BusMetrics.OfConnection::queuedDescriptors);
        gauge(peers, "match_rules", "Its match rules.", BusMetrics.OfConnection::matchRules);
        gauge(peers, "names", "Names it owns or waits for.", BusMetrics.OfConnection::names);
        gauge(
                peers,
                "pending_replies",
                "Its calls that wait for a reply.",
                BusMetrics.OfConnection::pendingReplies);
        families.info(
                "name",
                "Which peer owns a well-known name.",
                peers.stream()
                        .flatMap(peer ->
                                peer.owned().stream()
                                        .map(name -> Labels.of("name", name, "owner", peer.name())))
                        .toList());
    }

    private void counter(
            List<BusMetrics.OfConnection> peers,
            String name,
            String help,
            ToLongFunction<BusMetrics.OfConnection> value) {
        families.counter("peer_" + name, help, samples -> ofPeers(samples, peers, value));
    }

    private void gauge(
            List<BusMetrics.OfConnection> peers,
            String name,
            String help,
            ToLongFunction<BusMetrics.OfConnection> value) {
        families.gauge("peer_" + name, help, samples -> ofPeers(samples, peers, value));
    }

    private static void ofPeers(
            MetricFamilies.Samples samples,
            List<BusMetrics.OfConnection> peers,
            ToLongFunction<BusMetrics.OfConnection> value) {
        for (BusMetrics.OfConnection peer : peers) {
            samples.add(
                    value.applyAsLong(peer),
                    "name",
                    peer.name(),
                    "process",
                    peer.process(),
                    "uid",
                    Long.toString(peer.uid()));
        }
    }

    private void users(List<BusMetrics.OfUser> users) {
        user(users, "connections", "Its connections.", BusMetrics.OfUser::connections);
        user(users, "bytes", "Bytes held for it.", BusMetrics.OfUser::bytes);
        user(users, "descriptors", "Descriptors held for it.", BusMetrics.OfUser::descriptors);
        user(users, "match_rules", "Its match rules.", BusMetrics.OfUser::matchRules);
        user(users, "objects", "Its names, replies and connections.", BusMetrics.OfUser::objects);
        families.gauge(
                "user_caused_bytes",
                "Bytes held for a user, by the user who sent them.",
                samples -> {
                    for (BusMetrics.OfUser user : users) {
                        user.bytesByActor()
                                .forEach((actor, bytes) ->
                                        samples.add(
                                                bytes,
                                                "uid",
                                                Long.toString(user.uid()),
                                                "by",
                                                Long.toString(actor)));
                    }
                });
        families.counter(
                "user_refusals",
                "What was refused to a user.",
                samples -> {
                    for (BusMetrics.OfUser user : users) {
                        refusals(samples, user.refusals(), "uid", Long.toString(user.uid()));
                    }
                });
    }

    private void user(
            List<BusMetrics.OfUser> users,
            String name,
            String help,
            ToLongFunction<BusMetrics.OfUser> value) {
        families.gauge(
                "user_" + name,
                help,
                samples -> {
                    for (BusMetrics.OfUser user : users) {
                        samples.add(value.applyAsLong(user), "uid", Long.toString(user.uid()));
                    }
                });
    }

    private static void refusals(
            MetricFamilies.Samples samples, BusMetrics.Refusals refusals, String... labels) {
        refusals(samples, "limit", refusals.limits(), labels);
        refusals(samples, "message", refusals.messages(), labels);
        refusals(samples, "disconnect", refusals.disconnects(), labels);
    }

    private static void refusals(
            MetricFamilies.Samples samples,
            String kind,
            Map<String, Long> byReason,
            String... labels) {
        byReason.forEach((reason, count) ->
                samples.add(
                        count,
                        Stream.concat(Stream.of(labels), Stream.of("kind", kind, "reason", reason))
                                .toArray(String[]::new)));
    }
}
