package io.holdfast.authority;

import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.survival.AgentAddress;
import io.holdfast.authority.survival.AgentRecord;
import io.holdfast.authority.survival.AuthorityState;
import io.holdfast.authority.temporary.TemporaryAuthorization;
import io.holdfast.authority.temporary.TemporaryAuthorizations;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.process.PidFd;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * The registered agents, their dialogs with users, and the temporary authorizations that result.
 * The state belongs to the event loop. Any thread may call the methods, except those marked "on the
 * loop".
 */
public final class AuthenticationAgents {
    private final LoopTasks tasks;
    private final TemporaryAuthorizations temporaryAuthorizations;
    private final AuthorityOptions options;
    private final UserLines lines;
    private final AuthorityCounts counts;
    private final Runnable changed;
    private final AgentRegistry agents = new AgentRegistry();
    private final Dialogs dialogs;
    private final AuthorityState state;
    private final Map<Long, String> records = new HashMap<>(); // by serial
    private final Set<Long> restored = new HashSet<>(); // serials
    private long lastSerial;

    /**
     * Makes a registry without agents.
     *
     * @param tasks runs tasks on the loop
     * @param state where agents on a bus are recorded; lent
     * @param lines logs lines about agents
     * @param counts counts registrations
     * @param changed called when the set of agents has changed
     */
    AuthenticationAgents(
            EventLoop loop,
            LoopTasks tasks,
            TemporaryAuthorizations temporaryAuthorizations,
            AuthorityOptions options,
            AuthorityState state,
            UserLines lines,
            AuthorityCounts counts,
            Runnable changed) {
        this.tasks = tasks;
        this.temporaryAuthorizations = temporaryAuthorizations;
        this.options = options;
        this.state = state;
        this.lines = lines;
        this.counts = counts;
        this.changed = changed;
        this.dialogs = new Dialogs(loop, tasks);
    }

    // ---- registration

    /**
     * Registers an agent.
     *
     * @param scope the session or process that the agent serves; owned
     * @return fails with {@link AuthorityException} if the caller may not register it, or the
     *     subject already has an agent
     */
    public CompletableFuture<Void> register(
            Caller caller,
            Subject scope,
            String locale,
            String path,
            boolean fallback,
            AgentChannel channel) {
        return register(caller, scope, locale, path, fallback, channel, false);
    }

    /**
     * Registers an agent of the previous authority again, after it was found on its bus. The agent
     * may notice the restart later and register again: that registration must not be refused
     * because this one exists.
     *
     * @param scope owned
     * @return fails as {@link #register} does
     */
    public CompletableFuture<Void> restore(
            Caller caller, Subject scope, AgentRecord record, AgentChannel channel) {
        return register(
                caller, scope, record.locale(), record.path(), record.fallback(), channel, true);
    }

    private CompletableFuture<Void> register(
            Caller caller,
            Subject scope,
            String locale,
            String path,
            boolean fallback,
            AgentChannel channel,
            boolean again) {
        Optional<PidFd> process;
        try {
            caller.requireSpeaksFor(scope, options.sessions);
            process = caller.process().map(each -> each.pidFd().duplicate());
        } catch (RuntimeException e) {
            scope.close();
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> done =
                tasks.submit(() -> {
                    Agent agent =
                            new Agent(
                                    ++lastSerial,
                                    caller.connection(),
                                    path,
                                    scope,
                                    process,
                                    locale,
                                    fallback,
                                    channel);
                    if (isBack(agent)) {
                        agent.close();
                        return;
                    }
                    agents.add(agent);
                    counts.agentRegistered();
                    write(agent);
                    if (again) {
                        boolean _ = restored.add(agent.serial());
                    } else {
                        lines.log(
                                UserLines.Kind.AGENT,
                                agent.uid(),
                                "an agent has registered: " + agent);
                    }
                    changed.run();
                });
        return done.whenComplete((_, failure) -> {
            if (failure != null) {
                scope.close();
                process.ifPresent(PidFd::close);
            }
        });
    }

    /** Returns whether this is a restored agent that registers again after the restart. */
    private boolean isBack(Agent agent) {
        return agents.find(agent.scope())
                .filter(found ->
                        found.connection().equals(agent.connection())
                                && found.path().equals(agent.path()))
                .map(found -> restored.remove(found.serial()))
                .orElse(false);
    }

    /** Records an agent on a bus, so that a restarted authority can restore it. */
    private void write(Agent agent) {
        Optional<AgentAddress> address = agent.channel().address();
        if (state.isKept() && address.isPresent() && agent.process().isPresent()) {
            try {
                String record = state.agentRecord();
                state.write(
                        AgentRecord.of(
                                record,
                                address.get(),
                                agent.process().get(),
                                agent.scope(),
                                agent.path(),
                                agent.locale(),
                                agent.fallback()));
                records.put(agent.serial(), record);
            } catch (ErrnoException e) {
                // the agent's process has ended: it will be removed
            }
        }
    }

    private void unwrite(Agent agent) {
        boolean _ = restored.remove(agent.serial());
        String record = records.remove(agent.serial());
        if (record != null) {
            state.remove(record);
        }
    }

    /**
     * Removes an agent, and cancels its dialogs.
     *
     * @param scope owned
     * @return fails with {@link AuthorityException} if the caller has not registered it
     */
    public CompletableFuture<Void> unregister(Caller caller, Subject scope, String path) {
        CompletableFuture<Void> done =
                tasks.submit(() -> {
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
            unwrite(agent);
            dialogs.cancelAll(agent, reason);
            lines.log(UserLines.Kind.AGENT, agent.uid(), agent + ": " + reason);
            agent.close();
            changed.run();
        }
    }

    /** Returns the connections of agents, of dialogs' subjects, and of helpers. */
    Set<String> connections() {
        Set<String> connections = new HashSet<>();
        tasks.submit(
                        () -> {
                            agents.all().forEach(agent -> connections.add(agent.connection()));
                            connections.addAll(dialogs.connections());
                        })
                .join();
        return connections;
    }

    /** Removes the agents of such connections, and cancels the dialogs about them. */
    void disconnected(Predicate<String> isGone) {
        tasks.end(() -> {
            for (Agent agent : agents.all()) {
                if (isGone.test(agent.connection())) {
                    forget(agent, "the agent has gone");
                }
            }
            dialogs.cancelAbout(isGone);
            dialogs.endAttempts(isGone);
        });
    }

    /** Returns the number of agents. On the loop. */
    int registered() {
        return agents.all().size();
    }

    /** Returns the number of open dialogs. On the loop. */
    int openDialogs() {
        return dialogs.open();
    }

    /** Returns the agents, dialogs and attempts that each user holds. On the loop. */
    List<AuthorityMetrics.OfUser> accounts() {
        List<AuthorityMetrics.OfUser> accounts = new ArrayList<>();
        Map<Long, Integer> ofUsers = new HashMap<>();
        agents.all().forEach(agent -> ofUsers.merge(agent.uid(), 1, Integer::sum));
        add(ofUsers, AuthorityMetrics.Account.AGENTS, accounts);
        add(dialogs.unansweredOfUsers(), AuthorityMetrics.Account.DIALOGS, accounts);
        add(dialogs.attemptsOfUsers(), AuthorityMetrics.Account.ATTEMPTS, accounts);
        return accounts;
    }

    private static void add(
            Map<Long, Integer> ofUsers,
            AuthorityMetrics.Account account,
            List<AuthorityMetrics.OfUser> accounts) {
        ofUsers.forEach(
                (user, held) -> accounts.add(new AuthorityMetrics.OfUser(user, account, held)));
    }

    // ---- dialogs

    /** Has an agent ask a user, as {@link DecisionContext#authenticate}. */
    CompletableFuture<Optional<DecisionContext.Asked>> authenticate(
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
                                                authenticate(
                                                        agent, request, action, implicit, who,
                                                        answer))
                                        .orElseGet(() ->
                                                CompletableFuture.completedFuture(
                                                        Optional.empty())),
                        tasks);
    }

    /** Runs in the same turn of the loop as the choice: the agent may be gone in the next turn. */
    private CompletableFuture<Optional<DecisionContext.Asked>> authenticate(
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
                        new DecisionContext.Asked(
                                end,
                                agent.toString(),
                                addTemporaryAuthorization(request, action, implicit, agent, end))));
    }

    private Optional<String> addTemporaryAuthorization(
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
                temporaryAuthorizations.add(
                        process.get(),
                        action.id(),
                        agent.scope(),
                        administrator,
                        options.temporaryLife);
        return Optional.of(added.id());
    }

    /**
     * Lets a helper begin to authenticate a user. PAM must not run for a cookie that does not exist
     * or that belongs to an agent of another user. The attempt counts against the agent's user
     * until the caller's connection ends.
     *
     * @param user the user who is to authenticate
     * @param agentUid the user of the agent that the helper talks to
     * @param agent the process that the helper talks to; owned
     * @return fails with {@link AuthorityException} if the caller is not root, that agent has no
     *     such dialog, the user was not offered, or too many attempts are under way
     */
    public CompletableFuture<Void> beginAttempt(
            Caller caller,
            String cookie,
            long user,
            OptionalLong agentUid,
            Optional<Subject.UnixProcess> agent) {
        return ofHelper(
                caller,
                agent,
                () -> dialogs.attempt(caller.connection(), cookie, user, agentUid, agent));
    }

    /**
     * Records a helper's report that a user has authenticated.
     *
     * @param agentUid the user of the agent that the helper talked to; empty if the helper does not
     *     report it
     * @param agent the process that the helper talked to; owned; empty if the helper does not
     *     report it
     * @return fails with {@link AuthorityException} if the caller is not root, that agent has no
     *     such dialog, or the user was not offered
     */
    public CompletableFuture<Void> respond(
            Caller caller,
            String cookie,
            long user,
            OptionalLong agentUid,
            Optional<Subject.UnixProcess> agent) {
        return ofHelper(caller, agent, () -> dialogs.respond(cookie, user, agentUid, agent));
    }

    /** Runs a request that only root may make. */
    private CompletableFuture<Void> ofHelper(
            Caller caller, Optional<Subject.UnixProcess> agent, Runnable work) {
        if (!caller.isRoot()) {
            agent.ifPresent(Subject.UnixProcess::close);
            return CompletableFuture.failedFuture(
                    AuthorityException.failed(
                            "Only uid 0 may invoke this method. This incident has been logged."));
        }
        return tasks.submit(work)
                .whenComplete((_, _) -> agent.ifPresent(Subject.UnixProcess::close));
    }

    /** Cancels the dialogs and closes the agents. Called when the loop has ended. */
    void close() {
        dialogs.close();
        agents.all().forEach(this::unwrite);
        agents.all().forEach(Agent::close);
    }
}
