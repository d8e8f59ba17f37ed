package io.holdfast.bus.policy;

import io.holdfast.bus.config.PolicyRule;
import io.holdfast.bus.config.PolicyRule.MessageTest;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.MessageType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rules about messages in one direction. Each type of message, with and without interface and
 * member, has a table of the rules that can match it; it is made when the first such message comes.
 */
final class MessageRules {
    private static final int TYPES = MessageType.SIGNAL + 2;

    private final List<MessageRule> rules = new ArrayList<>();
    private final @Nullable RuleTable[] tables = new @Nullable RuleTable[TYPES * 4];

    MessageRules(List<PolicyRule> all, boolean send) {
        for (int i = 0; i < all.size(); i++) {
            PolicyRule rule = all.get(i);
            if (rule.test() instanceof MessageTest test && test.send() == send) {
                rules.add(new MessageRule(rule, test, i));
            }
        }
    }

    /**
     * @return the rule that decides; null if no rule matches the message
     */
    @Nullable PolicyRule decide(
            MessageView message, Party other, boolean requested, boolean eavesdropping) {
        int type = Math.min(message.type(), TYPES - 1); // those above are all unknown
        int shape =
                type << 2
                        | (message.has(HeaderField.INTERFACE) ? 2 : 0)
                        | (message.has(HeaderField.MEMBER) ? 1 : 0);
        RuleTable table = tables[shape];
        if (table == null) {
            table =
                    new RuleTable(
                            rules,
                            type,
                            message.has(HeaderField.INTERFACE),
                            message.has(HeaderField.MEMBER));
            tables[shape] = table;
        }
        return table.decide(message, other, requested, eavesdropping);
    }
}
