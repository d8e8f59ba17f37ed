package io.holdfast.authority;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.Rules;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Users;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What a check decides by. Safe for use by any thread. */
interface DecisionContext {
    /** As they are now. */
    ActionPool actions();

    Rules rules();

    Users users();

    TemporaryAuthorizations kept();

    SubjectFacts facts(Subject subject);

    /** Revokes a temporary authorization. */
    void revoke(String id);

    /**
     * What came of asking somebody.
     *
     * @param agent which one, in words
     * @param temporary the id of what is kept of it
     */
    record Asked(Dialogs.Outcome outcome, String agent, Optional<String> temporary) {}

    /**
     * Has an agent ask one of these users to authenticate, and keeps that if it is to be kept.
     *
     * @param session that stands for the subject
     * @param answer whose completion ends the dialog: nobody waits for it any more
     * @return empty if there is no agent
     */
    CompletableFuture<Optional<Asked>> ask(
            CheckRequest request,
            Action action,
            ImplicitAuthorization implicit,
            Optional<String> session,
            List<Long> users,
            CompletableFuture<Decision> answer);
}
