package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusCounters;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.ConnectionCounters;
import io.holdfast.bus.account.Quota;
import io.holdfast.bus.account.RefusalCounts;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.PendingReplies;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * org.freedesktop.DBus.Debug.Stats: how full the bus is, and which connections and users fill it.
 */
public final class DriverStats {
    private static final Signature DICTIONARY = Signature.of("a{sv}");
    private static final Signature RULES = Signature.of("a{sas}");
    private static final Signature STRING = Signature.of("s");
    private static final Signature UINT32 = Signature.of("u");

    private static final String OURS = "io.holdfast.Bus.";

    private final Connections connections;
    private final NameRegistry names;
    private final MatchIndex<Connection> matches;
    private final PendingReplies replies;
    private final BusMessages messages;

    public DriverStats(
            Connections connections,
            NameRegistry names,
            MatchIndex<Connection> matches,
            PendingReplies replies,
            BusMessages messages) {
        this.connections = connections;
        this.names = names;
        this.matches = matches;
        this.replies = replies;
        this.messages = messages;
    }

    void bus(Connection from, MessageView call) {
        BusCounters counters = connections.counters();
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("Serial", Integer.toUnsignedLong(messages.lastSerial()));
        numbers.put("ActiveConnections", (long) connections.registered().size());
        numbers.put("IncompleteConnections", (long) connections.unregisteredCount());
        numbers.put("BusNames", (long) names.size() + connections.registered().size());
        numbers.put("PeakBusNames", (long) counters.peakNames);
        numbers.put("PeakBusNamesPerConnection", (long) counters.peakNamesOfOne);
        numbers.put("MatchRules", (long) matches.size());
        numbers.put("PeakMatchRules", (long) counters.peakMatches);
        numbers.put("PeakMatchRulesPerConnection", (long) counters.peakMatchesOfOne);
        numbers.put("io.holdfast.Bus.PendingReplies", (long) replies.size());
        numbers.put("io.holdfast.Bus.Accepted", counters.accepted);
        numbers.put("io.holdfast.Bus.Refused", counters.refusedAtAccept);
        numbers.put("io.holdfast.Bus.MessagesIn", counters.messagesIn);
        RefusalCounts tally = connections.charges().quota().tally();
        numbers.put("io.holdfast.Bus.Disconnects", tally.allEnds());
        put(numbers, OURS, tally);
        numbers.put("io.holdfast.Bus.BufferBytes", connections.buffers().inUse());
        messages.reply(from, call, DICTIONARY, null, body -> put(body, "", numbers));
    }

    void connection(Connection from, MessageView call) throws BusErrorException {
        Connection of = names.owner(Driver.text(call, 0));
        ConnectionCounters counters = of.counters;
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("MatchRules", (long) matches.size(of));
        numbers.put("BusNames", of.owned().size() + 1L);
        numbers.put("OutgoingBytes", of.out().bytes());
        numbers.put("OutgoingFDs", (long) of.out().descriptors());
        numbers.put("PeakOutgoingBytes", counters.peakQueued);
        numbers.put("io.holdfast.Bus.PendingReplies", (long) of.outstandingCalls());
        numbers.put("io.holdfast.Bus.MessagesIn", counters.messagesIn);
        numbers.put("io.holdfast.Bus.BytesIn", counters.bytesIn);
        numbers.put("io.holdfast.Bus.MessagesOut", counters.messagesOut);
        numbers.put("io.holdfast.Bus.BytesOut", counters.bytesOut);
        RefusalCounts tally = of.account().tally();
        numbers.put("io.holdfast.Bus.Refused", tally.refusedMessages());
        put(numbers, OURS, tally);
        putUser(numbers, connections.charges().quota().usage(of.account()));
        messages.reply(from, call, DICTIONARY, null, body -> put(body, of.name(), numbers));
    }

    /** Adds the numbers of all connections of one user together. */
    private static void putUser(Map<String, Long> numbers, Quota.Usage usage) {
        String prefix = OURS + "User.";
        numbers.put(prefix + "Connections", (long) usage.connections());
        numbers.put(prefix + "Bytes", usage.used().get(Quota.BYTES));
        numbers.put(prefix + "FDs", usage.used().get(Quota.FDS));
        numbers.put(prefix + "MatchRules", usage.used().get(Quota.MATCHES));
        numbers.put(prefix + "Objects", usage.used().get(Quota.OBJECTS));
        put(numbers, prefix, usage.tally());
    }

    /**
     * Adds the refusals by limit and by error, and the ended connections by reason, without zeros.
     */
    private static void put(Map<String, Long> numbers, String prefix, RefusalCounts tally) {
        tally.limits().forEach((limit, n) -> numbers.put(prefix + "RefusedBy." + limit, n));
        tally.errors().forEach((error, n) -> numbers.put(prefix + "RefusedMessages." + error, n));
        tally.ends().forEach((why, n) -> numbers.put(prefix + "DisconnectsBy." + why, n));
    }

    private static void put(BodyWriter body, String uniqueName, Map<String, Long> numbers) {
        body.beginArray();
        if (!uniqueName.isEmpty()) {
            body.beginDictEntry().putString("UniqueName");
            body.beginVariant(STRING).putString(uniqueName).endVariant();
            body.endDictEntry();
        }
        numbers.forEach((name, value) -> {
            body.beginDictEntry().putString(name);
            body.beginVariant(UINT32).putUint32((int) Math.min(value, 0xFFFF_FFFFL)).endVariant();
            body.endDictEntry();
        });
        body.endArray();
    }

    void matchRules(Connection from, MessageView call) {
        messages.reply(
                from,
                call,
                RULES,
                null,
                body -> {
                    body.beginArray();
                    for (Connection connection : connections.registered().values()) {
                        body.beginDictEntry().putString(connection.name()).beginArray();
                        for (MatchRule rule : matches.rules(connection)) {
                            body.putString(rule.toString());
                        }
                        body.endArray().endDictEntry();
                    }
                    body.endArray();
                });
    }
}
