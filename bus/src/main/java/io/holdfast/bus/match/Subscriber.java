package io.holdfast.bus.match;

import io.holdfast.bus.match.MatchNode.Subscription;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who has match rules. */
final class Subscriber {
    final int id;
    final List<Subscription> subscriptions = new ArrayList<>(1);

    /** Rules, each as often as it was added. */
    int rules;

    /** The search that found it last. */
    long found;

    Subscriber(int id) {
        this.id = id;
    }

    /** Its subscription to a rule: looked for where fewer have to be looked at. */
    @SuppressWarnings("ReferenceEquality") // nodes and subscribers are unique
    @Nullable Subscription subscriptionTo(MatchNode node) {
        if (subscriptions.size() <= node.subscriptionCount) {
            for (Subscription subscription : subscriptions) {
                if (subscription.node == node) {
                    return subscription;
                }
            }
            return null;
        }
        for (int i = 0; i < node.subscriptionCount; i++) {
            if (node.subscriptions[i].subscriber == this) {
                return node.subscriptions[i];
            }
        }
        return null;
    }
}
