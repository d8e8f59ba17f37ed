package io.holdfast.bus.match;

import io.holdfast.bus.match.MatchNode.Subscription;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An owner of match rules. */
final class Subscriber {
    final int id;
    final List<Subscription> subscriptions = new ArrayList<>(1);

    /** The number of its rules, each counted as often as it was added. */
    int rules;

    /** The last search that found it. */
    long found;

    Subscriber(int id) {
        this.id = id;
    }

    /** Returns its subscription to a rule, or null. Searches the shorter of the two lists. */
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
