package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Matches;
import io.holdfast.dbus.wire.BodyReader;
import io.holdfast.dbus.wire.MessageView;
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
    private final Matches matches;
    private final BusFacts facts;
    private final BusMessages messages;

    public MatchMethods(
            Membership members,
            Charges charges,
            Matches matches,
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
        if (!charges.chargeRule(from, rule)) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        matches.add(from, rule);
        members.countMatches(from);
        messages.reply(from, call, NOTHING, null, body -> {});
    }

    void removeMatch(Connection from, MessageView call) throws BusErrorException {
        MatchRule rule = rule(Driver.text(call, 0));
        if (!matches.remove(from, rule)) {
            throw new BusErrorException(
                    BusError.MATCH_RULE_NOT_FOUND, from.name() + " has no rule " + rule);
        }
        charges.releaseRule(from, rule);
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
        if (!charges.replaceRules(from, rules)) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        messages.reply(from, call, NOTHING, null, body -> {});
        members.becomeMonitor(from, rules);
    }
}
