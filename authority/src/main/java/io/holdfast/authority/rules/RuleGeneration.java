package io.holdfast.authority.rules;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Files as they were at one time, and scopes that they were run in. */
final class RuleGeneration {
    private final AtomicReference<@Nullable RuleScope> first;
    private final Supplier<RuleScope> further;

    /**
     * @param first to be used before others are made
     */
    RuleGeneration(RuleScope first, Supplier<RuleScope> further) {
        this.first = new AtomicReference<>(first);
        this.further = further;
    }

    /** A scope for the caller alone. */
    RuleScope scope() {
        RuleScope scope = first.getAndSet(null);
        return scope == null ? further.get() : scope;
    }
}
