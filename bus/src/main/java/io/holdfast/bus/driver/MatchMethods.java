package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.match.MatchIndex;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Monitors;
import io.holdfast.dbus.marshal.BodyReader;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.match.MatchRule;
import io.holdfast.dbus.wire.match.MatchRuleException;
import java.util.ArrayList;
import java.util.List;

/** The methods of the bus about match rules, and BecomeMonitor. */
public final class MatchMethods {
    private static final Signature NOTHING = Signature.of("");

    private final Membership members;
    private final Charges charges;
    private final MatchIndex<Connection> matches;
    private final BusFacts facts;
    private final BusMessages messages;

    public MatchMethods(
            Membership members,
            Charges charges,
            MatchIndex<Connection> matches,
            BusFacts facts,
            BusMessages messages) {
        this.members = members;
        this.charges = charges;
        this.matches = matches;
        this.facts = facts;
        this.messages = messages;
    }

    void addMatch(Connection from, MessageView call) throws BusErrorException {
        MatchRule rule = rule(Driver.text(call, 0));
        Charge charge = charges.rule(from, rule);
        if (charge == null) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        matches.add(from, rule, charge);
        members.countMatches(from);
        messages.reply(from, call, NOTHING, null, body -> {});
    }

    void removeMatch(Connection from, MessageView call) throws BusErrorException {
        MatchRule rule = rule(Driver.text(call, 0));
        if (!matches.remove(from, rule)) {
            throw new BusErrorException(
                    BusError.MATCH_RULE_NOT_FOUND, from.name() + " has no rule " + rule);
        }
        messages.reply(from, call, NOTHING, null, body -> {});
    }

    private static MatchRule rule(String text) throws BusErrorException {
        try {
            return MatchRule.parseSubscription(text);
        } catch (MatchRuleException e) {
            throw new BusErrorException(
                    BusError.MATCH_RULE_INVALID, String.valueOf(e.getMessage()));
        }
    }

    void becomeMonitor(Connection from, MessageView call) throws BusErrorException {
        facts.requirePrivileged(from, "BecomeMonitor");
        BodyReader arguments = new BodyReader().read(call);
        List<MatchRule> rules = new ArrayList<>();
        int most = from.account().limits().getInt(BusLimit.MAX_MATCH_RULES_PER_CONNECTION);
        arguments.enterArray();
        while (arguments.hasNext()) {
            if (rules.size() >= most) {
                charges.over(from, BusLimit.MAX_MATCH_RULES_PER_CONNECTION);
                throw new BusErrorException(
                        BusError.LIMITS_EXCEEDED,
                        BusLimit.MAX_MATCH_RULES_PER_CONNECTION
                                + " is "
                                + most
                                + ": no more rules");
            }
            try {
                rules.add(MatchRule.parse(arguments.readString()));
            } catch (MatchRuleException e) {
                throw new BusErrorException(
                        BusError.MATCH_RULE_INVALID, String.valueOf(e.getMessage()));
            }
        }
        arguments.leave();
        if (rules.isEmpty()) {
            rules.add(MatchRule.ANY);
        }
        int flags = (int) arguments.readUint32();
        if (flags != 0) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS,
                    "BecomeMonitor: unknown flags 0x" + Integer.toHexString(flags));
        }
        List<Monitors.Rule> charged = charged(from, rules);
        messages.reply(from, call, NOTHING, null, body -> {});
        members.becomeMonitor(from, charged);
    }

    /** Charges all rules, in addition to those that the connection has as a client, or none. */
    private List<Monitors.Rule> charged(Connection from, List<MatchRule> rules)
            throws BusErrorException {
        List<Monitors.Rule> charged = new ArrayList<>();
        for (MatchRule rule : rules) {
            Charge charge = charges.rule(from, rule);
            if (charge == null) {
                charged.forEach(one -> one.charge().close());
                throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
            }
            charged.add(new Monitors.Rule(rule, charge));
        }
        return charged;
    }
}
