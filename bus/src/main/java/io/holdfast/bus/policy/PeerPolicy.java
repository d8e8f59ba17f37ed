package io.holdfast.bus.policy;

import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.config.PolicyRule.OwnTest;
import io.holdfast.dbus.marshal.MessageView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What peers of one kind may own, send and receive. Each question has two forms: whether it is
 * allowed, and which rule decides, for people. A question about a message allocates nothing, and
 * looks only at rules that name the other side, the interface and the member of the message, or
 * none of these. Not thread-safe.
 */
public final class PeerPolicy {
    private final MessageRules send;
    private final MessageRules receive;
    private final Map<String, Positioned> owned = new HashMap<>();
    private final Map<String, Positioned> ownedPrefixes = new HashMap<>();
    private final Positioned ownedAll;

    /** A rule and its position in the order. */
    private record Positioned(int position, @Nullable PolicyRule rule) {
        private static final Positioned NONE = new Positioned(-1, null);

        Positioned or(@Nullable Positioned other) {
            return other != null && other.position > position ? other : this;
        }
    }

    /**
     * @param rules in order: the last one that matches decides
     */
    PeerPolicy(List<PolicyRule> rules) {
        send = new MessageRules(rules, true);
        receive = new MessageRules(rules, false);
        Positioned all = Positioned.NONE;
        for (int i = 0; i < rules.size(); i++) {
            PolicyRule rule = rules.get(i);
            if (rule.test() instanceof OwnTest(@Nullable String name, boolean prefix)) {
                Positioned positioned = new Positioned(i, rule);
                if (name == null) {
                    all = positioned;
                } else {
                    (prefix ? ownedPrefixes : owned).put(name, positioned);
                }
            }
        }
        ownedAll = all;
    }

    /** Returns whether a well-known name may be requested. */
    public boolean canOwn(String name) {
        return allows(ownRule(name));
    }

    /** Returns the rule that decides {@link #canOwn}; null if none does. */
    public @Nullable PolicyRule ownRule(String name) {
        Positioned best = ownedAll.or(owned.get(name));
        if (!ownedPrefixes.isEmpty()) {
            for (int end = name.indexOf('.'); end >= 0; end = name.indexOf('.', end + 1)) {
                best = best.or(ownedPrefixes.get(name.substring(0, end)));
            }
            best = best.or(ownedPrefixes.get(name));
        }
        return best.rule();
    }

    /**
     * Returns whether a peer may send a message to one receiver. For a broadcast, each receiver is
     * checked.
     *
     * @param requested for a reply: whether the receiver waits for it
     */
    public boolean canSend(MessageView message, Party receiver, boolean requested) {
        return allows(sendRule(message, receiver, requested));
    }

    /** Returns the rule that decides {@link #canSend}; null if none does. */
    public @Nullable PolicyRule sendRule(MessageView message, Party receiver, boolean requested) {
        return send.decide(message, receiver, requested, false);
    }

    /**
     * Returns whether a peer may receive a message.
     *
     * @param requested for a reply: whether its addressee waits for it
     * @param eavesdropping whether it is addressed to another peer
     */
    public boolean canReceive(
            MessageView message, Party sender, boolean requested, boolean eavesdropping) {
        return allows(receiveRule(message, sender, requested, eavesdropping));
    }

    /** Returns the rule that decides {@link #canReceive}; null if none does. */
    public @Nullable PolicyRule receiveRule(
            MessageView message, Party sender, boolean requested, boolean eavesdropping) {
        return receive.decide(message, sender, requested, eavesdropping);
    }

    private static boolean allows(@Nullable PolicyRule rule) {
        return rule != null && rule.allow();
    }

    /** Returns the rule for a log: {@code <deny own="a.b"/> (FILE:LINE)}. */
    public static String explain(@Nullable PolicyRule rule) {
        return rule == null ? "no rule of the policy allows it" : rule.toString();
    }
}
