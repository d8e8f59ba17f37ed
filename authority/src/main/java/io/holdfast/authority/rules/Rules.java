package io.holdfast.authority.rules;

import java.util.concurrent.CompletableFuture;

/** Evaluates rules. Thread-safe; no method blocks. */
public interface Rules {
    /**
     * Evaluates the rules. Never fails: an error gives a verdict of "no" with its reason.
     *
     * @param subject used by one thread at a time until the future completes
     */
    CompletableFuture<RuleVerdict> evaluate(RuleAction action, RuleSubject subject);

    /** Evaluates the admin rules: which users are administrators for this check. Never fails. */
    CompletableFuture<AdministratorVerdict> administrators(RuleAction action, RuleSubject subject);
}
