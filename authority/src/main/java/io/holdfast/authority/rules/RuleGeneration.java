package io.holdfast.authority.rules;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.Supplier;

/** Files as they were at one time, and scopes that they were run in. Safe for use by any thread. */
final class RuleGeneration {
    private final RuleFiles files;
    private final BlockingQueue<RuleScope> idle;
    private final Supplier<RuleScope> further;

    /**
     * @param most scopes that are kept while nobody uses them
     * @param first to be used before others are made
     */
    RuleGeneration(int most, RuleScope first, Supplier<RuleScope> further) {
        this.files = first.files();
        this.idle = new ArrayBlockingQueue<>(most);
        this.further = further;
        giveBack(first);
    }

    /** A scope for the caller alone. */
    RuleScope scope() {
        RuleScope scope = idle.poll();
        return scope == null ? further.get() : scope;
    }

    /** The caller does not use it any more. One of other files is not kept. */
    void giveBack(RuleScope scope) {
        if (scope.files().equals(files)) {
            boolean _ = idle.offer(scope);
        }
    }
}
