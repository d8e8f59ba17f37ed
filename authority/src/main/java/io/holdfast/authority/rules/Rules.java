package io.holdfast.authority.rules;

import java.util.concurrent.CompletableFuture;

/** Evaluates rules. Safe for use by any thread; nothing here blocks. */
public interface Rules {
    /**
     * Asks the rules. Never fails: an error is a verdict of "no" with its reason.
     *
     * @param subject used by one thread of the rules until the future completes
     */
    CompletableFuture<RuleVerdict> evaluate(RuleAction action, RuleSubject subject);

    /** Asks the admin rules who may authenticate as an administrator. Never fails either. */
    CompletableFuture<AdministratorVerdict> administrators(RuleAction action, RuleSubject subject);
}
