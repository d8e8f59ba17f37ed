package io.holdfast.bus;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * The metrics of a bus in the text format of OpenMetrics 1.0, as Prometheus reads it: who sends,
 * who does not read, who holds descriptors, who is refused. Peers have the labels {@code name},
 * {@code process} and {@code uid}; what a well-known name stands for is told by {@code
 * holdfast_bus_name_info}.
 */
final class OpenMetricsText {
    private static final String PREFIX = "holdfast_bus_";

    private final StringBuilder text = new StringBuilder();

    private OpenMetricsText() {}

    static String of(BusMetrics metrics) {
        OpenMetricsText text = new OpenMetricsText();
        text.bus(metrics);
        text.peers(metrics.connections());
        text.users(metrics.users());
        return text.text.append("# EOF\n").toString();
    }

    private void bus(BusMetrics bus) {
        counter("accepted", "Connections that came.");
        sample("accepted_total", bus.accepted());
        counter("refused_connections", "Connections that were not let in.");
        sample("refused_connections_total", bus.refused());
        counter("disconnects", "Connections that ended.");
        sample("disconnects_total", bus.disconnects());
        counter("messages", "Messages that came.");
        sample("messages_total", bus.messagesIn());
        counter("faults", "Faults of the bus itself.");
        sample("faults_total", bus.handlerErrors());
        gauge("pending_replies", "Calls that wait for a reply.");
        sample("pending_replies", bus.pendingReplies());
        gauge("match_rules", "Match rules of all connections.");
        sample("match_rules", bus.matchRules());
        gauge("names", "Well-known names that are owned.");
        sample("names", bus.names());
        gauge("buffer_bytes", "Native memory that holds messages.");
        sample("buffer_bytes", bus.bufferBytes());
        counter("refusals", "What was refused: by a limit, a message, a connection.");
        refusals("refusals_total", bus.refusals());
    }

    private void peers(List<BusMetrics.OfConnection> peers) {
        peer(
                peers,
                "received_messages",
                true,
                BusMetrics.OfConnection::messagesIn,
                "Messages from it.");
        peer(peers, "received_bytes", true, BusMetrics.OfConnection::bytesIn, "Bytes from it.");
        peer(peers, "sent_messages", true, BusMetrics.OfConnection::messagesOut, "Messages to it.");
        peer(peers, "sent_bytes", true, BusMetrics.OfConnection::bytesOut, "Bytes to it.");
        peer(
                peers,
                "refused_messages",
                true,
                BusMetrics.OfConnection::refused,
                "Its refused messages.");
        peer(
                peers,
                "queued_bytes",
                false,
                BusMetrics.OfConnection::queuedBytes,
                "Bytes it has not read.");
        peer(
                peers,
                "peak_queued_bytes",
                false,
                BusMetrics.OfConnection::peakQueuedBytes,
                "The most bytes that it had not read.");
        peer(
                peers,
                "queued_descriptors",
                false,
                BusMetrics.OfConnection::queuedDescriptors,
                "Descriptors in messages that it has not read.");
        peer(peers, "match_rules", false, BusMetrics.OfConnection::matchRules, "Its match rules.");
        peer(peers, "names", false, BusMetrics.OfConnection::names, "Names it owns or waits for.");
        peer(
                peers,
                "pending_replies",
                false,
                BusMetrics.OfConnection::pendingReplies,
                "Its calls that wait for a reply.");
        head("name", "info", "Which peer owns a well-known name.");
        for (BusMetrics.OfConnection peer : peers) {
            for (String name : peer.owned()) {
                sample("name_info", 1, "name", name, "owner", peer.name());
            }
        }
    }

    private void peer(
            List<BusMetrics.OfConnection> peers,
            String name,
            boolean counter,
            ToLongFunction<BusMetrics.OfConnection> value,
            String help) {
        String family = "peer_" + name;
        head(family, counter ? "counter" : "gauge", help);
        for (BusMetrics.OfConnection peer : peers) {
            sample(
                    counter ? family + "_total" : family,
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
        user(users, "connections", BusMetrics.OfUser::connections, "Its connections.");
        user(users, "bytes", BusMetrics.OfUser::bytes, "Bytes held for it.");
        user(users, "descriptors", BusMetrics.OfUser::descriptors, "Descriptors held for it.");
        user(users, "match_rules", BusMetrics.OfUser::matchRules, "Its match rules.");
        user(users, "objects", BusMetrics.OfUser::objects, "Its names, replies and connections.");
        gauge("user_caused_bytes", "Bytes held for a user, by the user who sent them.");
        for (BusMetrics.OfUser user : users) {
            new TreeMap<>(user.bytesByActor())
                    .forEach((actor, bytes) ->
                            sample(
                                    "user_caused_bytes",
                                    bytes,
                                    "uid",
                                    Long.toString(user.uid()),
                                    "by",
                                    Long.toString(actor)));
        }
        counter("user_refusals", "What was refused to a user.");
        users.forEach(user ->
                refusals("user_refusals_total", user.refusals(), "uid", Long.toString(user.uid())));
    }

    private void user(
            List<BusMetrics.OfUser> users,
            String name,
            ToLongFunction<BusMetrics.OfUser> value,
            String help) {
        gauge("user_" + name, help);
        users.forEach(user ->
                sample("user_" + name, value.applyAsLong(user), "uid", Long.toString(user.uid())));
    }

    private void refusals(String name, BusMetrics.Refusals refusals, String... labels) {
        refusals(name, "limit", refusals.limits(), labels);
        refusals(name, "message", refusals.messages(), labels);
        refusals(name, "disconnect", refusals.disconnects(), labels);
    }

    private void refusals(String name, String kind, Map<String, Long> byReason, String... labels) {
        new TreeMap<>(byReason)
                .forEach((reason, count) -> {
                    String[] all = new String[labels.length + 4];
                    System.arraycopy(labels, 0, all, 0, labels.length);
                    all[labels.length] = "kind";
                    all[labels.length + 1] = kind;
                    all[labels.length + 2] = "reason";
                    all[labels.length + 3] = reason;
                    sample(name, count, all);
                });
    }

    private void counter(String name, String help) {
        head(name, "counter", help);
    }

    private void gauge(String name, String help) {
        head(name, "gauge", help);
    }

    private void head(String name, String type, String help) {
        text.append("# TYPE ").append(PREFIX).append(name).append(' ').append(type).append('\n');
        text.append("# HELP ").append(PREFIX).append(name).append(' ').append(help).append('\n');
    }

    /**
     * @param labels names and values in turn
     */
    private void sample(String name, long value, String... labels) {
        text.append(PREFIX).append(name);
        for (int i = 0; i < labels.length; i += 2) {
            text.append(i == 0 ? '{' : ',').append(labels[i]).append("=\"");
            text.append(escaped(labels[i + 1])).append('"');
        }
        text.append(labels.length == 0 ? " " : "} ").append(value).append('\n');
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\"", "\\\"");
    }
}
