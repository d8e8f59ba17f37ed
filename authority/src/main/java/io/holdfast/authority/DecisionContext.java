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

/** What a check needs from its engine. Thread-safe. */
interface DecisionContext {
    /** Returns the actions that are declared now. */
    ActionPool actions();

    Rules rules();

    Users users();

    TemporaryAuthorizations temporaryAuthorizations();

    SubjectFacts facts(Subject subject);

    /** Revokes a temporary authorization. */
    void revoke(String id);

    /**
     * The result of a dialog.
     *
     * @param agent describes the agent, for people
     * @param temporary the id of the temporary authorization that was added, if any
     */
    record Asked(Dialogs.Outcome outcome, String agent, Optional<String> temporary) {}

    /**
     * Has an agent ask one of these users to authenticate, and adds a temporary authorization if
     * the implicit authorization is to be kept.
     *
     * @param session the session that stands for the subject
     * @param answer the check's answer; its completion cancels the dialog
     * @return empty if there is no agent
     */
    CompletableFuture<Optional<Asked>> authenticate(
            CheckRequest request,
            Action action,
            ImplicitAuthorization implicit,
            Optional<String> session,
            List<Long> users,
            CompletableFuture<Decision> answer);
}
