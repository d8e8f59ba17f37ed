package io.holdfast.authority;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.RuleLog;
import io.holdfast.authority.rules.RuleMetrics;
import io.holdfast.authority.rules.Rules;
import io.holdfast.authority.rules.engine.RuleEngine;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Users;
import io.holdfast.authority.survival.AgentRecord;
import io.holdfast.authority.survival.AuthorityState;
import io.holdfast.authority.survival.AuthorizationRecord;
import io.holdfast.authority.survival.Recovered;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.file.folder.FolderWatch;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.sys.Uninterruptible;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An embeddable authority: it decides checks, stores temporary authorizations, and has
 * authentication agents authenticate users. Thread-safe: any thread may call any method. A method
 * whose work may take time returns a future.
 *
 * <pre>{@code
 * try (AuthorityEngine engine = AuthorityEngine.open(AuthorityOptions.standard());
 *         Peer peer = connection.peer()) {
 *     if (peer instanceof Peer.Held held) {
 *         Subject subject = Subject.UnixProcess.of(held).duplicate();
 *         Decision decision =
 *                 engine.check(CheckRequest.of(subject, "org.example.reboot", Map.of())).join();
 *     }
 * }
 * }</pre>
 *
 * <p>Agents, dialogs and temporary authorizations belong to one event loop, which has its own
 * thread. A check runs on the threads of the rule engine; it uses the loop only to have a user
 * authenticate.
 */
public final class AuthorityEngine implements AutoCloseable {
    /** The kind of a change, as in the signal {@code Changed}. */
    public enum Change {
        /** Actions, rules, agents or temporary authorizations. */
        AUTHORIZATIONS,
        SESSIONS
    }

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final EventLoop loop = EventLoop.open(LoopTasks.MAX);
    private final LoopTasks tasks = new LoopTasks(loop);
    private final Thread thread;
    private final AuthorityOptions options;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Consumer<Change>> listeners = new CopyOnWriteArrayList<>();
    private final ChecksUnderWay checks = new ChecksUnderWay();
    private final AuthorityCounts counts = new AuthorityCounts();
    private final AuthorityState state;
    private final AtomicReference<List<AgentRecord>> previousAgents =
            new AtomicReference<>(List.of());
    private final TemporaryAuthorizations temporaryAuthorizations;
    private final AuthenticationAgents agents;
    private final DecisionLog log = new DecisionLog(this::afterInterval, System::nanoTime);
    private final UserLines lines =
            UserLines.of(LOG, System::nanoTime).withTimer(this::afterInterval);
    private final Users users = new Users();
    private final ActionFolders actions;
    private final RuleEngine rules;
    private final Context context = new Context();

    /**
     * Makes an authority, and starts it.
     *
     * @param state remains the caller's if this throws
     */
    private AuthorityEngine(AuthorityOptions options, AuthorityState state) throws IOException {
        this.options = options;
        this.state = state;
        try {
            temporaryAuthorizations =
                    new TemporaryAuthorizations(
                            loop,
                            options.sessions,
                            state,
                            () -> notifyListeners(Change.AUTHORIZATIONS),
                            AuthorityState::now);
            agents =
                    new AuthenticationAgents(
                            loop,
                            tasks,
                            temporaryAuthorizations,
                            options,
                            state,
                            lines,
                            counts,
                            () -> notifyListeners(Change.AUTHORIZATIONS));
        } catch (RuntimeException | Error e) {
            loop.close();
            throw e;
        }
        try {
            rules =
                    RuleEngine.start(
                            () -> RuleFiles.read(options.ruleFolders),
                            options.ruleLimits,
                            ruleLog(),
                            options.programUser);
            open.add(rules);
            actions =
                    new ActionFolders(
                            options.actionFolders, _ -> notifyListeners(Change.AUTHORIZATIONS));
            open.add(actions);
            open.add(
                    new FolderWatch(options.ruleFolders, RuleFiles::isRuleFile, this::reloadRules));
            open.add(options.sessions.watch(this::sessionsChanged));
            restore();
            thread = Thread.ofPlatform().name("holdfast-authority").start(loop::run);
        } catch (IOException | RuntimeException | Error e) {
            closeParts();
            temporaryAuthorizations.close();
            loop.close();
            throw e;
        }
    }

    /**
     * Restores the temporary authorizations of the previous authority. Its agents are restored
     * later, when their bus is connected.
     */
    private void restore() {
        Recovered found = state.recover(options.sessions, AuthorityState.now());
        found.authorizations().forEach(temporaryAuthorizations::restore);
        previousAgents.set(found.agents());
        if (!found.authorizations().isEmpty() || !found.dropped().isEmpty()) {
            LOG.log(
                    INFO,
                    "restored {0} temporary authorizations of the previous authority ({1});"
                            + " dropped {2} records ({3})",
                    found.authorizations().size(),
                    Recovered.shown(
                            found.authorizations().stream().map(AuthorizationRecord::id).toList()),
                    found.dropped().size(),
                    Recovered.shown(found.dropped()));
        }
    }

    /**
     * Opens an authority: reads its actions and rules, and watches their folders from then on.
     * Errors in their files are logged.
     *
     * @throws IOException if a folder cannot be watched, as when no inotify instance is left
     * @throws io.holdfast.core.ErrnoException if other users could change files of the state folder
     * @throws IllegalStateException if another authority uses the state folder
     */
    public static AuthorityEngine open(AuthorityOptions options) throws IOException {
        AuthorityState state =
                options.stateFolder.map(AuthorityState::open).orElseGet(AuthorityState::none);
        try {
            return new AuthorityEngine(options, state);
        } catch (IOException | RuntimeException | Error e) {
            state.close();
            throw e;
        }
    }

    /**
     * Logs lines of rules, throttled by user and place: any user can cause such a line by a check,
     * and must not hide those of others.
     */
    private RuleLog ruleLog() {
        Throttle throttle =
                Throttle.of(
                                AuthorityLimits.LINES_OF_USER.intValue(),
                                AuthorityLimits.LINE_INTERVAL.duration(),
                                AuthorityLimits.LINE_SOURCES.intValue(),
                                line -> LOG.log(INFO, line))
                        .withTimer(this::afterInterval);
        return new RuleLog() {
            @Override
            public void log(SourceLine place, String text) {
                throttle.log(place, place + ": " + text);
            }

            @Override
            public void log(long user, SourceLine place, String text) {
                throttle.log(List.of(user, place), place + ": " + text);
            }
        };
    }

    /** Runs a task of the throttled logs after a delay. Any thread may call it. */
    private void afterInterval(Duration delay, Runnable task) {
        tasks.end(() -> {
            EventLoop.Timer _ = loop.after(delay, task);
        });
    }

    /** Logs a line that an agent has caused, throttled by the agent's user. */
    public void logOfAgent(long uid, String line) {
        lines.log(UserLines.Kind.AGENT, uid, line);
    }

    /** Closes the watches before the rule engine that they reload. */
    private void closeParts() {
        for (AutoCloseable each : open.reversed()) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.log(WARNING, "closing a part of the authority", e);
            }
        }
    }

    private void reloadRules() {
        rules.reload();
        notifyListeners(Change.AUTHORIZATIONS);
    }

    private void sessionsChanged() {
        temporaryAuthorizations.ofEndedSessions().forEach(each -> context.revoke(each.id()));
        notifyListeners(Change.SESSIONS);
    }

    private void notifyListeners(Change change) {
        for (Consumer<Change> listener : listeners) {
            try {
                listener.accept(change);
            } catch (RuntimeException e) {
                LOG.log(WARNING, "a listener of the authority failed", e);
            }
        }
    }

    /**
     * Registers a listener for changes that may alter decisions. Any thread may call the listener;
     * it must not block.
     *
     * @return removes the listener when it is cancelled, by any thread
     */
    public Registration onChange(Consumer<Change> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /** Returns the actions that are declared now. */
    public ActionPool actions() {
        return actions.pool();
    }

    /** Reads actions and rules again. The old ones stay in effect until then. Blocks. */
    public void reload() {
        actions.reload();
        reloadRules();
    }

    public RuleMetrics ruleMetrics() {
        return rules.metrics();
    }

    /** Returns the source of login sessions. */
    public Sessions sessions() {
        return options.sessions;
    }

    /** Counts what this authority has done, and what it holds now. Fails once this is closed. */
    public CompletableFuture<AuthorityMetrics> metrics() {
        return CompletableFuture.supplyAsync(this::countAll, tasks);
    }

    private AuthorityMetrics countAll() {
        List<AuthorityMetrics.OfUser> users = new ArrayList<>();
        checks.ofUsers()
                .forEach((user, held) ->
                        users.add(
                                new AuthorityMetrics.OfUser(
                                        user, AuthorityMetrics.Account.CHECKS, held)));
        users.addAll(agents.accounts());
        List<TemporaryAuthorization> inForce = temporaryAuthorizations.inScope(_ -> true);
        inForce.stream()
                .collect(Collectors.groupingBy(each -> each.subject().uid(), Collectors.counting()))
                .forEach((user, held) ->
                        users.add(
                                new AuthorityMetrics.OfUser(
                                        user,
                                        AuthorityMetrics.Account.TEMPORARY_AUTHORIZATIONS,
                                        held)));
        return new AuthorityMetrics(
                counts.answers(),
                counts.refusals(),
                agents.openDialogs(),
                agents.registered(),
                counts.agents(),
                inForce.size(),
                users,
                rules.metrics());
    }

    /** Counts a call that an interface of the authority (D-Bus or Varlink) has refused. */
    public void countRefusal(AuthorityException refusal) {
        counts.refused(refusal.kind());
    }

    // ---- checks

    /**
     * Decides a check. Closes the request's subject when the check has ended.
     *
     * @return fails with {@link AuthorityException} if the caller may not ask this, or the request
     *     is invalid; any other error gives a refusal
     */
    public CompletableFuture<Decision> check(CheckRequest request) {
        CompletableFuture<Decision> decided = new CompletableFuture<>();
        CompletableFuture<Decision> answer = answerOf(request, decided);
        try {
            if (request.details().size() > CheckRequest.MAX_DETAILS) {
                throw AuthorityException.failed(
                        "%d details, and the limit is %d (io.holdfast.authority.details)"
                                .formatted(request.details().size(), CheckRequest.MAX_DETAILS));
            }
            checks.add(request, decided);
            var _ =
                    new Check(context, request, decided)
                            .run()
                            .whenComplete((decision, failure) -> {
                                if (failure == null) {
                                    decided.complete(decision);
                                } else {
                                    fail(request, decided, failure);
                                }
                                request.subject().close();
                            });
        } catch (RuntimeException e) {
            fail(request, decided, e);
            request.subject().close();
        }
        return answer;
    }

    /**
     * Returns the answer for the caller. It completes after the decision is counted and logged, so
     * that a caller that has an answer finds both: a future runs its dependents in no particular
     * order, so they alone would not ensure that. A caller that completes the answer itself cancels
     * the check.
     */
    private CompletableFuture<Decision> answerOf(
            CheckRequest request, CompletableFuture<Decision> decided) {
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        var _ =
                decided.whenComplete((decision, failure) -> {
                    try {
                        report(request, decision, failure);
                    } finally {
                        if (failure == null) {
                            answer.complete(decision);
                        } else {
                            answer.completeExceptionally(failure);
                        }
                    }
                });
        var _ =
                answer.whenComplete((_, failure) -> {
                    if (failure != null) {
                        decided.completeExceptionally(failure);
                    }
                });
        return answer;
    }

    private void report(
            CheckRequest request, @Nullable Decision decision, @Nullable Throwable failure) {
        counts.checked(decision);
        log.report(request, decision, failure);
    }

    /** Ends a failed check. An unexpected error refuses; it never grants or ends the daemon. */
    private static void fail(
            CheckRequest request, CompletableFuture<Decision> answer, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException
                        ? Objects.requireNonNullElse(failure.getCause(), failure)
                        : failure;
        if (answer.isDone()) {
            return; // the check was cancelled; this failure is a consequence
        }
        if (cause instanceof AuthorityException) {
            answer.completeExceptionally(cause);
        } else {
            LOG.log(WARNING, "a check by " + request.caller() + " failed: refused", cause);
            answer.complete(Decision.refused(String.valueOf(cause.getMessage())));
        }
    }

    /**
     * Cancels a check of the caller. The check fails with {@link
     * AuthorityException.Kind#CANCELLED}.
     *
     * @throws AuthorityException if the caller has no check with this id
     */
    public void cancel(Caller caller, String cancellationId) {
        checks.cancel(caller.connection(), cancellationId);
    }

    /**
     * Returns the connections that have checks under way or agents, that are the subject of a
     * dialog, or whose helper has an authentication attempt under way.
     */
    public Set<String> connections() {
        Set<String> connections = new HashSet<>(checks.connections());
        connections.addAll(agents.connections());
        return connections;
    }

    /**
     * Handles the end of a connection: cancels its checks and the dialogs about it, and removes its
     * agents.
     */
    public void disconnected(String connection) {
        disconnected(connection::equals);
    }

    /** Does the same for every connection that matches. Does nothing once this is closed. */
    public void disconnected(Predicate<String> isGone) {
        checks.connections().stream().filter(isGone).forEach(checks::cancelAll);
        agents.disconnected(isGone);
    }

    /** The facts that checks need, and the actions that they take. */
    private final class Context implements DecisionContext {
        @Override
        public ActionPool actions() {
            return actions.pool();
        }

        @Override
        public Rules rules() {
            return rules;
        }

        @Override
        public Users users() {
            return users;
        }

        @Override
        public TemporaryAuthorizations temporaryAuthorizations() {
            return temporaryAuthorizations;
        }

        @Override
        public SubjectFacts facts(Subject subject) {
            return new SubjectFacts(subject, users, options.sessions, options.units);
        }

        @Override
        public void revoke(String id) {
            tasks.end(() -> temporaryAuthorizations.remove(id, "revoked"));
        }

        @Override
        public CompletableFuture<Optional<Asked>> authenticate(
                CheckRequest request,
                Action action,
                ImplicitAuthorization implicit,
                Optional<String> session,
                List<Long> who,
                CompletableFuture<Decision> answer) {
            return agents.authenticate(request, action, implicit, session, who, answer);
        }
    }

    // ---- agents

    public AuthenticationAgents agents() {
        return agents;
    }

    /** Returns the bus agents of the previous authority; later calls return an empty list. */
    public List<AgentRecord> agentsToRestore() {
        return previousAgents.getAndSet(List.of());
    }

    /** Removes the old record of an agent that was restored, or that cannot be. */
    public void forgetRecord(AgentRecord agent) {
        tasks.end(() -> state.remove(agent.record()));
    }

    // ---- temporary authorizations

    /**
     * Returns the temporary authorizations of a session.
     *
     * @throws AuthorityException if it is not the caller's own session
     */
    public List<TemporaryAuthorization> temporaryAuthorizations(
            Caller caller, Subject.UnixSession session) {
        caller.requireIn(session, options.sessions);
        return temporaryAuthorizations.inScope(scope -> AgentRegistry.isSame(scope, session));
    }

    /** Returns the temporary authorizations of the caller; those of all users if it is root. */
    public List<TemporaryAuthorization> temporaryAuthorizations(Caller caller) {
        return temporaryAuthorizations.inScope(
                scope -> caller.isRoot() || scope.uid() == caller.uid());
    }

    /**
     * Revokes all temporary authorizations of the caller's session.
     *
     * @throws AuthorityException if it is not the caller's own session
     */
    public CompletableFuture<Void> revoke(Caller caller, Subject.UnixSession session) {
        caller.requireIn(session, options.sessions);
        return tasks.submit(() -> {
            temporaryAuthorizations
                    .inScope(scope -> AgentRegistry.isSame(scope, session))
                    .forEach(each -> temporaryAuthorizations.remove(each.id(), "revoked"));
        });
    }

    /**
     * Revokes one temporary authorization.
     *
     * @return fails with {@link AuthorityException} if it does not exist, or is another user's
     */
    public CompletableFuture<Void> revoke(Caller caller, String id) {
        return tasks.submit(() -> {
            TemporaryAuthorization authorization =
                    temporaryAuthorizations
                            .byId(id)
                            .orElseThrow(() ->
                                    AuthorityException.failed(
                                            "Cannot find temporary authorization with id " + id));
            if (!caller.isRoot() && authorization.scope().uid() != caller.uid()) {
                throw AuthorityException.notAuthorized(
                        "temporary authorization " + id + " is another user's");
            }
            temporaryAuthorizations.remove(id, "revoked");
        });
    }

    // ---- the loop

    /**
     * Cancels all checks and dialogs, and removes all agents and temporary authorizations, also
     * from the state folder. Idempotent.
     */
    @Override
    public void close() {
        checks.connections().forEach(checks::cancelAll);
        closeParts();
        checks.connections().forEach(checks::cancelAll);
        loop.stop();
        Uninterruptible.join(thread); // the loop uses what is closed next
        tasks.close();
        agents.close();
        temporaryAuthorizations.close();
        loop.close();
        agentsToRestore().forEach(each -> state.remove(each.record()));
        state.close();
    }

    @Override
    public String toString() {
        return "authority over " + actions.pool().actions().size() + " actions";
    }
}
