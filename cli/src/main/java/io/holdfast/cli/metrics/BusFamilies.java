package io.holdfast.cli.metrics;

import io.holdfast.bus.BusMetrics;
import io.holdfast.bus.BusMetrics.OfConnection;
import io.holdfast.bus.BusMetrics.OfUser;
import io.holdfast.bus.BusMetrics.Refusals;
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
        families.counter("accepted", "Accepted connections.", bus.accepted());
        families.counter("refused_connections", "Refused connections.", bus.refused());
        families.counter("disconnects", "Ended connections.", bus.disconnects());
        families.counter("messages", "Received messages.", bus.messagesIn());
        families.counter("faults", "Internal errors of the bus.", bus.handlerErrors());
        families.gauge("pending_replies", "Calls that wait for a reply.", bus.pendingReplies());
        families.gauge("match_rules", "Match rules of all connections.", bus.matchRules());
        families.gauge("names", "Well-known names that have an owner.", bus.names());
        families.gauge("buffer_bytes", "Native memory that holds messages.", bus.bufferBytes());
        families.counter(
                "refusals",
                "Refusals: limits reached, messages refused, connections closed.",
                samples -> refusals(samples, bus.refusals()));
    }

    private void peers(List<OfConnection> peers) {
        counter(
                peers,
                "received_messages",
                "Messages received from the peer.",
                OfConnection::messagesIn);
        counter(peers, "received_bytes", "Bytes received from the peer.", OfConnection::bytesIn);
        counter(peers, "sent_messages", "Messages sent to the peer.", OfConnection::messagesOut);
        counter(peers, "sent_bytes", "Bytes sent to the peer.", OfConnection::bytesOut);
        counter(peers, "refused_messages", "Refused messages of the peer.", OfConnection::refused);
        gauge(
                peers,
                "queued_bytes",
                "Queued bytes that the peer has not read.",
                OfConnection::queuedBytes);
        gauge(
                peers,
                "peak_queued_bytes",
                "Maximum of the queued bytes that the peer had not read.",
                OfConnection::peakQueuedBytes);
        gauge(
                peers,
                "queued_descriptors",
                "Descriptors in queued messages that the peer has not read.",
                OfConnection::queuedDescriptors);
        gauge(peers, "match_rules", "Match rules of the peer.", OfConnection::matchRules);
        gauge(peers, "names", "Names that the peer owns or is queued for.", OfConnection::names);
        gauge(
                peers,
                "pending_replies",
                "Calls of the peer that wait for a reply.",
                OfConnection::pendingReplies);
        families.info(
                "name",
                "The peer that owns a well-known name.",
                peers.stream()
                        .flatMap(peer ->
                                peer.owned().stream()
                                        .map(name ->
                                                new String[] {"name", name, "owner", peer.name()}))
                        .toList());
    }

    private void counter(
            List<OfConnection> peers,
            String name,
            String help,
            ToLongFunction<OfConnection> value) {
        families.counter("peer_" + name, help, samples -> ofPeers(samples, peers, value));
    }

    private void gauge(
            List<OfConnection> peers,
            String name,
            String help,
            ToLongFunction<OfConnection> value) {
        families.gauge("peer_" + name, help, samples -> ofPeers(samples, peers, value));
    }

    private static void ofPeers(
            MetricFamilies.Samples samples,
            List<OfConnection> peers,
            ToLongFunction<OfConnection> value) {
        for (OfConnection peer : peers) {
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

    private void users(List<OfUser> users) {
        user(users, "connections", "Connections of the user.", OfUser::connections);
        user(users, "bytes", "Bytes charged to the user.", OfUser::bytes);
        user(users, "descriptors", "Descriptors charged to the user.", OfUser::descriptors);
        user(users, "match_rules", "Match rules of the user.", OfUser::matchRules);
        user(
                users,
                "objects",
                "Names, pending replies and connections of the user.",
                OfUser::objects);
        families.gauge(
                "user_caused_bytes",
                "Bytes charged to a user, by the user who sent them.",
                samples -> {
                    for (OfUser user : users) {
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
                "Refusals to the user.",
                samples -> {
                    for (OfUser user : users) {
                        refusals(samples, user.refusals(), "uid", Long.toString(user.uid()));
                    }
                });
    }

    private void user(List<OfUser> users, String name, String help, ToLongFunction<OfUser> value) {
        families.gauge(
                "user_" + name,
                help,
                samples -> {
                    for (OfUser user : users) {
                        samples.add(value.applyAsLong(user), "uid", Long.toString(user.uid()));
                    }
                });
    }

    private static void refusals(
            MetricFamilies.Samples samples, Refusals refusals, String... labels) {
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
