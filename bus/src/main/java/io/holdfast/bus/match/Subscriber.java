package io.holdfast.bus.match;

import io.holdfast.bus.match.MatchNode.Subscription;
import java.util.HashMap;
import java.util.Map;

/** An owner of match rules. */
final class Subscriber {
    final Object owner;

    /** Its rules. */
    final Map<MatchNode, Subscription> subscriptions = new HashMap<>(2);

    /** The number of its rules, each counted as often as it was added. */
    int rules;

    /** The last search that found it. */
    long found;

    Subscriber(Object owner) {
        this.owner = owner;
    }
}
