package io.holdfast.authority;

import static java.lang.System.Logger.Level.INFO;
import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.folder.FolderWatch;
import io.holdfast.authority.rules.RuleEngine;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.Rules;
import io.holdfast.authority.subject.Session;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Users;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * An authority without a daemon: decides, keeps what was granted for a while, and has agents ask
 * users. Every method may be called by any thread, and answers with a future where it may take
 * time.
 *
 * <pre>{@code
 * try (AuthorityEngine engine = AuthorityEngine.open(AuthorityOptions.STANDARD);
 *         PidFd process = PidFd.open(4711)) {
 *     Subject subject = Subject.UnixProcess.of(process.duplicate(), Subject.Origin.NUMBER);
 *     Decision decision =
 *             engine.check(CheckRequest.of(subject, "org.example.reboot", Map.of())).join();
 * }
 * }</pre>
 *
 * <p>Agents, dialogs and what is kept belong to one loop with a thread of its own. A check runs on
 * the threads of the rules; it goes to the loop only to have somebody asked.
 */
public final class AuthorityEngine implements AutoCloseable {
    /** What has changed, as the signal {@code Changed} tells it. */
    public enum Change {
        /** Actions, rules, agents or temporary authorizations. */
        AUTHORIZATIONS,
        SESSIONS
    }

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final EventLoop loop = EventLoop.open();
    private final LoopTasks tasks = new LoopTasks(loop);
    private final Thread thread;
    private final AuthorityOptions options;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final List<Consumer<Change>> listeners = new CopyOnWriteArrayList<>();
    private final ChecksUnderWay checks = new ChecksUnderWay();
    private final TemporaryAuthorizations kept =
            new TemporaryAuthorizations(loop, () -> tell(Change.AUTHORIZATIONS));
    private final AgentRegistry agents = new AgentRegistry();
    private final Dialogs dialogs = new Dialogs(loop, tasks);
    private final DecisionLog log = new DecisionLog();
    private final Users users = new Users();
    private final ActionFolders actions;
    private final RuleEngine rules;
    private final Context context = new Context();
    private long lastAgent;

    private AuthorityEngine(AuthorityOptions options) throws IOException {
        this.options = options;
        try {
            rules =
                    RuleEngine.start(
                            () -> RuleFiles.read(options.ruleFolders()),
                            options.ruleLimits(),
                            (place, text) -> LOG.log(INFO, "{0}: {1}", place, text));
            open.add(rules);
            actions = new ActionFolders(options.actionFolders(), _ -> tell(Change.AUTHORIZATIONS));
            open.add(actions);
            open.add(
                    new FolderWatch(
                            options.ruleFolders(), RuleFiles::isRuleFile, this::reloadRules));
            open.add(options.sessions().watch(() -> tell(Change.SESSIONS)));
        } catch (IOException | RuntimeException | Error e) {
            closeParts();
            kept.close();
            loop.close();
            throw e;
        }
        thread = Thread.ofPlatform().name("holdfast-authority").start(loop::run);
    }

    /**
     * Reads actions and rules, and watches them from then on. What is wrong with them is logged.
     *
     * @throws IOException if folders cannot be watched: no inotify instance is left
     */
    public static AuthorityEngine open(AuthorityOptions options) throws IOException {
        return new AuthorityEngine(options);
    }

    /** The watches first, then the rules that they load. */
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
        tell(Change.AUTHORIZATIONS);
    }

    private void tell(Change change) {
        for (Consumer<Change> listener : listeners) {
            try {
                listener.accept(change);
            } catch (RuntimeException e) {
                LOG.log(WARNING, "a listener of the authority failed", e);
            }
        }
    }

    /**
     * Calls back when answers may have become others. By any thread; must not block.
     *
     * @return closes to no call
     */
    public AutoCloseable onChange(Consumer<Change> listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    /** The actions as they are now. */
    public ActionPool actions() {
        return actions.pool();
    }

    /** Reads actions and rules again; what they said before stays in force until then. Blocks. */
    public void reload() {
        actions.reload();
        reloadRules();
    }

    Sessions sessions() {
        return options.sessions();
    }

    // ---- checks

    /**
     * Decides. Closes the subject when it is done.
     *
     * @return fails with {@link AuthorityException} if that may not be asked, or not so; every
     *     other fault is a refusal
     */
    public CompletableFuture<Decision> check(CheckRequest request) {
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        var _ = answer.whenComplete((decision, failure) -> log.tell(request, decision, failure));
        try {
            if (request.details().size() > CheckRequest.MAX_DETAILS) {
                throw AuthorityException.failed(
                        "%d details, and the limit is %d (io.holdfast.authority.details)"
                                .formatted(request.details().size(), CheckRequest.MAX_DETAILS));
            }
            checks.add(request, answer);
            var _ =
                    new Check(context, request, answer)
                            .run()
                            .whenComplete((decision, failure) -> {
                                if (failure == null) {
                                    answer.complete(decision);
                                } else {
                                    fail(answer, failure);
                                }
                                request.subject().close();
                            });
        } catch (RuntimeException e) {
            fail(answer, e);
            request.subject().close();
        }
        return answer;
    }

    /** What we did not foresee is a refusal, never a grant, and nobody's end. */
    private static void fail(CompletableFuture<Decision> answer, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException
                        ? Objects.requireNonNullElse(failure.getCause(), failure)
                        : failure;
        if (answer.isDone()) {
            return; // cancelled: so ends what was under way for it
        }
        if (cause instanceof AuthorityException) {
            answer.completeExceptionally(cause);
        } else {
            LOG.log(WARNING, "a check failed, which is a refusal", cause);
            answer.complete(Decision.refused(String.valueOf(cause.getMessage())));
        }
    }

    /**
     * Cancels a check of the caller: it fails with {@link AuthorityException.Kind#CANCELLED}.
     *
     * @throws AuthorityException if it has none of that id
     */
    public void cancel(Caller caller, String cancellationId) {
        checks.cancel(caller.connection(), cancellationId);
    }

    /** The connections that have checks under way, or agents, or dialogs about them. */
    Set<String> connections() {
        Set<String> connections = new HashSet<>(checks.connections());
        onLoop(
                        () -> {
                            agents.all().forEach(agent -> connections.add(agent.connection()));
                            connections.addAll(dialogs.connections());
                        })
                .join();
        return connections;
    }

    /**
     * A connection has gone: its checks are cancelled, its agents forgotten, and nobody is asked
     * about it any more.
     */
    public void disconnected(String connection) {
        disconnected(connection::equals);
    }

    /** The same of all such connections. Does nothing once this is closed. */
    void disconnected(Predicate<String> isGone) {
        checks.connections().stream().filter(isGone).forEach(checks::cancelAll);
        tasks.end(() -> {
            for (Agent agent : agents.all()) {
                if (isGone.test(agent.connection())) {
                    forget(agent, "the agent has gone");
                }
            }
            dialogs.cancelAbout(isGone);
        });
    }

    /** What checks decide by. */
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
        public TemporaryAuthorizations kept() {
            return kept;
        }

        @Override
        public SubjectFacts facts(Subject subject) {
            return new SubjectFacts(subject, users, options.sessions(), options.units());
        }

        @Override
        public void revoke(String id) {
            tasks.end(() -> kept.remove(id));
        }

        @Override
        public CompletableFuture<Optional<Asked>> ask(
                CheckRequest request,
                Action action,
                ImplicitAuthorization implicit,
                Optional<String> session,
                List<Long> who,
                CompletableFuture<Decision> answer) {
            return CompletableFuture.completedFuture(request.subject())
                    .thenComposeAsync(
                            subject ->
                                    agents.choose(subject, session)
                                            .map(agent ->
                                                    ask(
                                                            agent, request, action, implicit, who,
                                                            answer))
                                            .orElseGet(() ->
                                                    CompletableFuture.completedFuture(
                                                            Optional.empty())),
                            tasks);
        }

        /** On the loop, in one turn with the choice: the agent may go in the next one. */
        private CompletableFuture<Optional<Asked>> ask(
                Agent agent,
                CheckRequest request,
                Action action,
                ImplicitAuthorization implicit,
                List<Long> who,
                CompletableFuture<Decision> answer) {
            Dialogs.Question question =
                    new Dialogs.Question(
                            action.id(),
                            DialogText.message(action, request.details(), agent.locale()),
                            DialogText.iconName(action, request.details()),
                            DialogText.details(request.caller(), request.subject()),
                            who);
            CompletableFuture<Dialogs.Outcome> outcome =
                    dialogs.begin(agent, question, request.subject());
            var _ = answer.whenComplete((_, _) -> outcome.cancel(false));
            return outcome.thenApply(end ->
                    Optional.of(
                            new Asked(
                                    end,
                                    agent.toString(),
                                    keep(request, action, implicit, agent, end))));
        }

        private Optional<String> keep(
                CheckRequest request,
                Action action,
                ImplicitAuthorization implicit,
                Agent agent,
                Dialogs.Outcome outcome) {
            Optional<Subject.UnixProcess> process = request.subject().process();
            if (outcome.authenticated().isEmpty() || !implicit.isKept() || process.isEmpty()) {
                return Optional.empty();
            }
            OptionalLong administrator =
                    implicit.needsAdministrator() ? outcome.authenticated() : OptionalLong.empty();
            TemporaryAuthorization added =
                    kept.add(
                            process.get(),
                            action.id(),
                            agent.scope(),
                            administrator,
                            options.temporaryLife());
            return Optional.of(added.id());
        }
    }

    // ---- agents

    /**
     * Registers an agent.
     *
     * @param scope for whom it asks; owned
     * @return fails with {@link AuthorityException} if the caller may not, or there is one
     */
    public CompletableFuture<Void> registerAgent(
            Caller caller,
            Subject scope,
            String locale,
            String path,
            boolean fallback,
            AgentChannel channel) {
        Optional<PidFd> process;
        try {
            requireOwn(caller, scope);
            process = caller.process().map(each -> each.pidFd().duplicate());
        } catch (RuntimeException e) {
            scope.close();
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> done =
                onLoop(() -> {
                    Agent agent =
                            new Agent(
                                    ++lastAgent,
                                    caller.connection(),
                                    path,
                                    scope,
                                    process,
                                    locale,
                                    fallback,
                                    channel);
                    agents.add(agent);
                    LOG.log(INFO, "an agent has registered: {0}", agent);
                    tell(Change.AUTHORIZATIONS);
                });
        return done.whenComplete((_, failure) -> {
            if (failure != null) {
                scope.close();
                process.ifPresent(PidFd::close);
            }
        });
    }

    /** Who may speak for whom: a user for himself, and root. */
    private void requireOwn(Caller caller, Subject scope) {
        switch (scope) {
            case Subject.UnixSession session -> {
                requireOwnSession(caller, session);
                if (!caller.isRoot() && caller.uid() != session.uid()) { // su works in it, too
                    throw otherUser();
                }
            }
            case Subject.UnixProcess process -> {
                if (!caller.isRoot()
                        && (caller.uid() != process.uid()
                                || Subject.UnixProcess.realUid(process.pidFd()) != process.uid())) {
                    throw otherUser();
                }
            }
            case Subject.BusName _ ->
                    throw AuthorityException.failed(
                            "Only unix-process and unix-session subjects can be used for"
                                    + " authentication agents");
        }
    }

    private static AuthorityException otherUser() {
        return AuthorityException.failed("User of caller and user of subject differs");
    }

    private void requireOwnSession(Caller caller, Subject.UnixSession session) {
        Optional<String> own =
                caller.process()
                        .flatMap(process -> options.sessions().own(process.pidFd()))
                        .map(Session::id);
        if (own.isEmpty()) {
            throw AuthorityException.failed("Cannot determine session the caller is in");
        }
        if (!own.get().equals(session.id())) {
            throw AuthorityException.failed(
                    "Passed session and the session the caller is in differs. They must be equal"
                            + " for now.");
        }
    }

    /**
     * Forgets an agent, and cancels its dialogs.
     *
     * @param scope owned
     * @return fails with {@link AuthorityException} if the caller has not registered it
     */
    public CompletableFuture<Void> unregisterAgent(Caller caller, Subject scope, String path) {
        CompletableFuture<Void> done =
                onLoop(() -> {
                    Agent agent =
                            agents.find(scope)
                                    .filter(found ->
                                            found.connection().equals(caller.connection())
                                                    && found.path().equals(path))
                                    .orElseThrow(() ->
                                            AuthorityException.failed("No such agent registered"));
                    forget(agent, "the agent has unregistered");
                });
        return done.whenComplete((_, _) -> scope.close());
    }

    private void forget(Agent agent, String reason) {
        if (agents.remove(agent)) {
            dialogs.cancelAll(agent, reason);
            LOG.log(INFO, "{0}: {1}", agent, reason);
            agent.close();
            tell(Change.AUTHORIZATIONS);
        }
    }

    /**
     * The helper tells that a user has authenticated.
     *
     * @param agentUid of whom the helper has spoken with; empty if it does not tell
     * @param asked who the helper has spoken with; owned; empty if it does not tell
     * @return fails with {@link AuthorityException} if the caller is not root, there is no such
     *     dialog of that agent, or the user was not offered
     */
    public CompletableFuture<Void> respond(
            Caller caller,
            String cookie,
            long user,
            OptionalLong agentUid,
            Optional<Subject.UnixProcess> asked) {
        if (!caller.isRoot()) {
            asked.ifPresent(Subject.UnixProcess::close);
            return CompletableFuture.failedFuture(
                    AuthorityException.failed(
                            "Only uid 0 may invoke this method. This incident has been logged."));
        }
        CompletableFuture<Void> done =
                onLoop(() -> {
                    dialogs.respond(cookie, user, agentUid, asked.map(Subject.UnixProcess::pidFd));
                });
        return done.whenComplete((_, _) -> asked.ifPresent(Subject.UnixProcess::close));
    }

    // ---- what is kept

    /**
     * What is kept in a session.
     *
     * @throws AuthorityException if it is not the caller's own session
     */
    public List<TemporaryAuthorization> temporaryAuthorizations(
            Caller caller, Subject.UnixSession session) {
        requireOwnSession(caller, session);
        return kept.inScope(scope -> AgentRegistry.isSame(scope, session));
    }

    /** All that is kept of a user; of all users, if root asks. */
    public List<TemporaryAuthorization> temporaryAuthorizations(Caller caller) {
        return kept.inScope(scope -> caller.isRoot() || scope.uid() == caller.uid());
    }

    /** Takes back all that is kept in the caller's session. */
    public CompletableFuture<Void> revoke(Caller caller, Subject.UnixSession session) {
        requireOwnSession(caller, session);
        return onLoop(() -> {
            kept.inScope(scope -> AgentRegistry.isSame(scope, session))
                    .forEach(each -> kept.remove(each.id()));
        });
    }

    /**
     * Takes one back.
     *
     * @return fails with {@link AuthorityException} if there is none, or it is another user's
     */
    public CompletableFuture<Void> revoke(Caller caller, String id) {
        return onLoop(() -> {
            TemporaryAuthorization meant =
                    kept.byId(id)
                            .orElseThrow(() ->
                                    AuthorityException.failed(
                                            "Cannot find temporary authorization with id " + id));
            if (!caller.isRoot() && meant.scope().uid() != caller.uid()) {
                throw AuthorityException.notAuthorized(
                        "temporary authorization " + id + " is another user's");
            }
            kept.remove(id);
        });
    }

    // ---- the loop

    private CompletableFuture<Void> onLoop(Runnable task) {
        try {
            return CompletableFuture.runAsync(task, tasks);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(
                    AuthorityException.failed(String.valueOf(e.getMessage())));
        }
    }

    /** Cancels what is under way, and forgets what is kept. Idempotent. */
    @Override
    public void close() {
        checks.connections().forEach(checks::cancelAll);
        closeParts();
        checks.connections().forEach(checks::cancelAll);
        loop.stop();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        tasks.close();
        dialogs.close();
        agents.all().forEach(Agent::close);
        kept.close();
        loop.close();
    }

    @Override
    public String toString() {
        return "authority over " + actions.pool().actions().size() + " actions";
    }
}
