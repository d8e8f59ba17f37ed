package io.holdfast.authority;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.authority.rules.RuleSubject.SubjectGoneException;
import io.holdfast.authority.rules.RuleVerdict;
import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.process.PidFd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/**
 * A check on its way to a decision, in the order of polkit(8): whether the caller may ask, the
 * action's defaults and the rules, temporary authorizations, actions that imply this one, and at
 * last an authentication through an agent.
 *
 * <p>Its steps run one after another, on the threads that complete the rules' futures. Two steps
 * never run at the same time, so its state needs no lock.
 */
final class Check {
    private static final String RETAINS = "polkit.retains_authorization_after_challenge";

    /** The topic of the explanation step that reports the result of a dialog. */
    static final String DIALOG = "dialog";

    private static final String TEMPORARY_ID = "polkit.temporary_authorization_id";

    private final DecisionContext context;
    private final CheckRequest request;
    private final CompletableFuture<Decision> answer;
    private final SubjectFacts facts;
    private final ActionPool actions;
    private final ExplanationBuilder explanation = new ExplanationBuilder();

    /** The implicit authorization of one action, by rules or defaults, and its result so far. */
    private record Standing(
            ImplicitAuthorization implicit, Map<String, String> details, boolean isAuthorized) {}

    /**
     * Makes a check that has not run yet.
     *
     * @param answer the check's result; its completion cancels a dialog of this check
     */
    Check(DecisionContext context, CheckRequest request, CompletableFuture<Decision> answer) {
        this.context = context;
        this.request = request;
        this.answer = answer;
        this.facts = context.facts(request.subject());
        this.actions = context.actions();
    }

    /**
     * Runs the check.
     *
     * @throws AuthorityException if the caller may not ask, or the action is not registered
     */
    CompletableFuture<Decision> run() {
        explanation.add("caller", request.caller().toString());
        Optional<Action> action = actions.action(request.action());
        requireMayAsk(action);
        Action found =
                action.orElseThrow(() ->
                        AuthorityException.failed(
                                "Action " + request.action() + " is not registered"));
        if (request.explained()) {
            facts.findForDescription();
        }
        explanation.add("action", found.id() + ": " + defaults(found), found.place());
        if (request.subject().uid() == 0 && !request.always()) {
            return CompletableFuture.completedFuture(
                    answer(true, false, Map.of(), "root may do everything"));
        }
        return standing(found, "").thenCompose(standing -> answer(found, standing));
    }

    private static String defaults(Action action) {
        return "allow_any "
                + action.any()
                + ", allow_inactive "
                + action.inactive()
                + ", allow_active "
                + action.active();
    }

    /** Runs first, so that a caller that may not ask does not learn whether an action exists. */
    private void requireMayAsk(Optional<Action> action) {
        Caller caller = request.caller();
        if (caller.isRoot() || action.map(this::isOwnedByCaller).orElse(false)) {
            return;
        }
        if (caller.uid() != request.subject().uid() || !isPlausible(request.subject())) {
            throw AuthorityException.notAuthorized(
                    "Only trusted callers (e.g. uid 0 or an action owner) can use"
                            + " CheckAuthorization() for subjects belonging to other identities");
        }
        if (!request.details().isEmpty()) {
            throw AuthorityException.notAuthorized(
                    "Only trusted callers (e.g. uid 0 or an action owner) can use"
                            + " CheckAuthorization() and pass details");
        }
    }

    private boolean isOwnedByCaller(Action action) {
        return action.owners().stream()
                .anyMatch(owner ->
                        owner instanceof Identity.User(String user)
                                && context.users()
                                        .uid(user)
                                        .equals(OptionalLong.of(request.caller().uid())));
    }

    private static boolean isPlausible(Subject subject) {
        return !(subject instanceof Subject.UnixProcess process) || process.isPlausible();
    }

    // ---- without an authentication

    private CompletableFuture<Standing> standing(Action action, String impliedBy) {
        return context.rules()
                .evaluate(new RuleAction(action.id(), request.details()), facts)
                .thenCompose(verdict -> standing(action, verdict, impliedBy));
    }

    private CompletableFuture<Standing> standing(
            Action action, RuleVerdict verdict, String impliedBy) {
        explanation.add(impliedBy + "rule", verdict.steps());
        verdict.describeSkipped().ifPresent(text -> explanation.add(impliedBy + "rules", text));
        verdict.failure().ifPresent(reason -> explanation.add(impliedBy + "rules", reason));
        ImplicitAuthorization implicit =
                verdict.answer().orElseGet(() -> byDefault(action, impliedBy));
        Map<String, String> details = new LinkedHashMap<>(request.details());
        if (verdict.answer().isPresent() || implicit.isChallenge()) {
            details.put("polkit.result", implicit.word());
        }
        if (implicit == ImplicitAuthorization.YES) {
            return CompletableFuture.completedFuture(new Standing(implicit, details, true));
        }
        return temporaryAuthorization(action, impliedBy)
                .thenCompose(found -> {
                    if (found.isPresent()) {
                        details.put(TEMPORARY_ID, found.get().id());
                        return CompletableFuture.completedFuture(
                                new Standing(implicit, details, true));
                    }
                    return impliedBy.isEmpty()
                            ? implied(action, new Standing(implicit, details, false))
                            : CompletableFuture.completedFuture(
                                    new Standing(implicit, details, false));
                });
    }

    private ImplicitAuthorization byDefault(Action action, String impliedBy) {
        String topic = impliedBy + "defaults";
        if (action.any() == action.inactive() && action.any() == action.active()) {
            explanation.add(topic, action.any().word() + " for every session");
            return action.any(); // no need to look up the session
        }
        try {
            boolean local = facts.isLocal();
            boolean active = local && facts.isActive();
            ImplicitAuthorization implicit = action.implicit(local, active);
            String session = local ? (active ? "active" : "inactive") : "any";
            explanation.add(topic, implicit.word() + " (allow_" + session + ")");
            return implicit;
        } catch (SubjectGoneException e) {
            explanation.add(topic, e.getMessage() + ": no");
            return ImplicitAuthorization.NO;
        }
    }

    /** Finds a temporary authorization from an earlier authentication. */
    private CompletableFuture<Optional<TemporaryAuthorization>> temporaryAuthorization(
            Action action, String impliedBy) {
        Optional<Subject.UnixProcess> process = request.subject().process();
        if (process.isEmpty()) {
            return CompletableFuture.completedFuture(Optional.empty());
        }
        String topic = impliedBy + "temporary authorization";
        TemporaryAuthorizations.Found found =
                context.temporaryAuthorizations().find(process.get(), action.id());
        found.inapplicable().forEach(reason -> explanation.add(topic, reason));
        Optional<TemporaryAuthorization> ofUser =
                found.applicable().stream()
                        .filter(each -> each.administrator().isEmpty())
                        .findFirst();
        if (ofUser.isPresent() || found.applicable().isEmpty()) {
            ofUser.ifPresent(
                    each -> explanation.add(topic, each.id() + ", expires " + each.expires()));
            return CompletableFuture.completedFuture(ofUser);
        }
        return administrators(action, topic)
                .thenApply(now ->
                        found.applicable().stream()
                                .filter(each -> isInForce(each, now, topic))
                                .findFirst());
    }

    /** Revokes the authorization if the user who gave it is no longer an administrator. */
    private boolean isInForce(
            TemporaryAuthorization authorization, List<Long> administrators, String topic) {
        String id = authorization.id();
        String user = "user " + authorization.administrator().orElseThrow();
        if (administrators.contains(authorization.administrator().getAsLong())) {
            explanation.add(topic, id + " by " + user + ", expires " + authorization.expires());
            return true;
        }
        explanation.add(topic, id + " is revoked: " + user + " is no longer an administrator");
        context.revoke(id);
        return false;
    }

    /** Evaluates the actions that imply this one, one level deep. */
    private CompletableFuture<Standing> implied(Action action, Standing otherwise) {
        Deque<Action> implying = new ArrayDeque<>(actions.implying(action.id()));
        return implied(implying, otherwise);
    }

    private CompletableFuture<Standing> implied(Deque<Action> implying, Standing otherwise) {
        Action next = implying.poll();
        if (next == null) {
            return CompletableFuture.completedFuture(otherwise);
        }
        explanation.add("imply", "implied by " + next.id() + ": " + defaults(next), next.place());
        return standing(next, next.id() + ": ")
                .thenCompose(standing ->
                        standing.isAuthorized()
                                ? CompletableFuture.completedFuture(standing)
                                : implied(implying, otherwise));
    }

    // ---- the answer

    private CompletableFuture<Decision> answer(Action action, Standing standing) {
        if (!standing.isAuthorized() && standing.implicit().isChallenge()) {
            return request.interactive()
                    ? challenge(action, standing)
                    : CompletableFuture.completedFuture(
                            challenged(standing, "authentication required"));
        }
        return CompletableFuture.completedFuture(
                answer(
                        standing.isAuthorized(),
                        false,
                        standing.details(),
                        standing.isAuthorized() ? "authorized" : "not authorized"));
    }

    private Decision challenged(Standing standing, String reason) {
        Map<String, String> details = new LinkedHashMap<>(standing.details());
        if (standing.implicit().isKept()) {
            details.put(RETAINS, "1");
        }
        return answer(false, true, details, reason + " (" + standing.implicit().word() + ")");
    }

    /** Makes the final decision: a subject whose process is already reaped is not authorized. */
    private Decision answer(
            boolean authorized, boolean challenge, Map<String, String> details, String reason) {
        boolean gone =
                request.subject()
                        .process()
                        .map(process -> process.pidFd().state() == PidFd.State.REAPED)
                        .orElse(false);
        explanation.add("answer", gone ? "not authorized: the process has gone" : reason);
        return new Decision(
                authorized && !gone,
                challenge && !gone,
                details,
                Optional.empty(),
                Optional.of(explanation.build(facts.describe())));
    }

    // ---- with an authentication

    private CompletableFuture<Decision> challenge(Action action, Standing standing) {
        Optional<String> session = facts.decisionSession().map(Session::id);
        CompletableFuture<List<Long>> who =
                standing.implicit().needsAdministrator()
                        ? administrators(action, "administrators")
                        : CompletableFuture.completedFuture(List.of(request.subject().uid()));
        return who.thenCompose(users ->
                        context.authenticate(
                                request, action, standing.implicit(), session, users, answer))
                .thenApply(result ->
                        result.map(dialog -> decide(standing, dialog))
                                .orElseGet(() ->
                                        challenged(
                                                standing,
                                                "no authentication agent is registered for the subject")));
    }

    private Decision decide(Standing standing, DecisionContext.Asked dialog) {
        Map<String, String> details = new LinkedHashMap<>(standing.details());
        Dialogs.Outcome outcome = dialog.outcome();
        if (standing.implicit().isKept()) {
            details.put(RETAINS, "true");
        }
        if (outcome.authenticated().isEmpty()) {
            explanation.add(DIALOG, outcome.reason() + ", through " + dialog.agent());
            if (outcome.isDismissed()) {
                details.put("polkit.dismissed", "true");
            }
            return answer(false, false, details, "not authorized: " + outcome.reason());
        }
        String user =
                "user "
                        + outcome.authenticated().getAsLong()
                        + " has authenticated, "
                        + outcome.reason();
        explanation.add(DIALOG, user + ", through " + dialog.agent());
        dialog.temporary().ifPresent(id -> details.put(TEMPORARY_ID, id));
        return answer(true, false, details, "authorized: " + user);
    }

    /** Finds the users who may authenticate as an administrator. */
    private CompletableFuture<List<Long>> administrators(Action action, String topic) {
        return context.rules()
                .administrators(new RuleAction(action.id(), request.details()), facts)
                .thenApply(verdict -> {
                    explanation.add("admin rule", verdict.steps());
                    verdict.failure().ifPresent(reason -> explanation.add("admin rules", reason));
                    List<Long> users =
                            context.users()
                                    .administrators(verdict.identities(), request.subject().uid())
                                    .uids();
                    explanation.add(topic, "administrators are users " + users);
                    return users;
                });
    }
}
