package io.holdfast.authority;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.subject.Subject;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.PidFd;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The authentication dialogs that are under way. A dialog succeeds if the helper has reported, for
 * its cookie, that one of the offered users has authenticated, and the agent has then ended it
 * without an error. Used only on the loop.
 */
final class Dialogs implements AutoCloseable {
    /**
     * The maximum number of dialogs of one agent, including cancelled ones that it has not
     * answered.
     */
    static final int MAX_PER_AGENT = AuthorityLimits.DIALOGS_OF_AGENT.intValue();

    /** The maximum number of dialogs of all agents of one user, who sees one dialog at a time. */
    static final int MAX_PER_USER = AuthorityLimits.DIALOGS_OF_USER.intValue();

    /**
     * The maximum number of attempts to authenticate that the agents of one user may have under
     * way: each is a helper process that runs PAM.
     */
    static final int MAX_ATTEMPTS_PER_USER = AuthorityLimits.ATTEMPTS_OF_USER.intValue();

    private static final int SECRET_BYTES = 16;

    private final EventLoop loop;
    private final LoopTasks tasks;
    private final SecureRandom random = new SecureRandom();
    private final List<Dialog> dialogs = new ArrayList<>();
    private final Map<Long, Integer> unanswered = new HashMap<>(); // by the agent's serial
    private final Map<Long, Integer> unansweredOfUser = new HashMap<>();
    private final Map<String, Long> attempts = new HashMap<>(); // users by the helper's connection
    private long last;

    Dialogs(EventLoop loop, LoopTasks tasks) {
        this.loop = loop;
        this.tasks = tasks;
    }

    /**
     * How a dialog ended.
     *
     * @param authenticated the user who authenticated; empty if none did
     * @param reason the reason, for people
     */
    record Outcome(OptionalLong authenticated, boolean isDismissed, String reason) {
        static Outcome notAuthenticated(String reason) {
            return new Outcome(OptionalLong.empty(), false, reason);
        }
    }

    /** The content of a dialog, which the agent shows to the user. */
    record Question(
            String action,
            String message,
            String iconName,
            Map<String, String> details,
            List<Long> users) {}

    private static final class Dialog {
        final Agent agent;
        final String cookie;
        final List<Long> users;
        final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        OptionalLong authenticated = OptionalLong.empty();
        String reason = "no user has authenticated"; // the outcome's reason, if it completes
        final String subjectName; // the subject's bus name, or empty
        @Nullable PidFd subject;

        Dialog(Agent agent, String cookie, List<Long> users, String subjectName) {
            this.agent = agent;
            this.cookie = cookie;
            this.users = users;
            this.subjectName = subjectName;
        }
    }

    /**
     * Begins a dialog.
     *
     * @param subject the dialog is cancelled when its process or its connection ends; lent
     * @return never fails; completed on the loop. Cancelling it cancels the dialog
     */
    CompletableFuture<Outcome> begin(Agent agent, Question question, Subject subject) {
        if (unanswered.getOrDefault(agent.serial(), 0) >= MAX_PER_AGENT) {
            return CompletableFuture.completedFuture(
                    Outcome.notAuthenticated(
                            "the agent has %d dialogs, which is the limit; %s"
                                    .formatted(
                                            MAX_PER_AGENT,
                                            AuthorityLimits.DIALOGS_OF_AGENT.remedy())));
        }
        if (unansweredOfUser.getOrDefault(agent.uid(), 0) >= MAX_PER_USER) {
            return CompletableFuture.completedFuture(
                    Outcome.notAuthenticated(
                            "the agents of user %d have %d dialogs, which is the limit; %s"
                                    .formatted(
                                            agent.uid(),
                                            MAX_PER_USER,
                                            AuthorityLimits.DIALOGS_OF_USER.remedy())));
        }
        Dialog dialog =
                new Dialog(
                        agent,
                        cookie(agent),
                        question.users(),
                        subject instanceof Subject.BusName name ? name.name() : "");
        subject.process().ifPresent(process -> watch(dialog, process.pidFd().duplicate()));
        dialogs.add(dialog);
        unanswered.merge(agent.serial(), 1, Integer::sum);
        unansweredOfUser.merge(agent.uid(), 1, Integer::sum);
        List<Identity.User> identities =
                question.users().stream()
                        .map(uid -> new Identity.User(Long.toString(uid)))
                        .toList();
        var _ =
                agent.channel()
                        .begin(
                                new AgentChannel.Request(
                                        question.action(),
                                        question.message(),
                                        question.iconName(),
                                        question.details(),
                                        dialog.cookie,
                                        identities))
                        .thenAccept(end ->
                                tasks.end(() -> {
                                    answered(agent);
                                    ended(dialog, end);
                                }));
        var _ =
                dialog.outcome.whenComplete((_, _) -> {
                    if (dialog.outcome.isCancelled()) {
                        tasks.end(() -> cancel(dialog, "cancelled"));
                    }
                });
        return dialog.outcome;
    }

    private void watch(Dialog dialog, PidFd subject) {
        dialog.subject = subject;
        var _ = loop.watch(subject.fd(), Readiness.IN, _ -> cancel(dialog, "the subject has gone"));
    }

    private String cookie(Agent agent) {
        return agent.serial() + "-" + secret() + "-" + ++last + "-" + secret();
    }

    private String secret() {
        byte[] bytes = new byte[SECRET_BYTES];
        random.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private List<Dialog> of(Agent agent) {
        return dialogs.stream().filter(each -> each.agent.serial() == agent.serial()).toList();
    }

    private void answered(Agent agent) {
        oneLess(unanswered, agent.serial());
        oneLess(unansweredOfUser, agent.uid());
    }

    private static void oneLess(Map<Long, Integer> numbers, long key) {
        numbers.computeIfPresent(
                key, (_, number) -> number == 1 ? null : Integer.valueOf(number - 1));
    }

    private void ended(Dialog dialog, AgentChannel.End end) {
        boolean completed = end == AgentChannel.End.COMPLETED;
        finish(
                dialog,
                new Outcome(
                        completed ? dialog.authenticated : OptionalLong.empty(),
                        end == AgentChannel.End.DISMISSED,
                        switch (end) {
                            case COMPLETED -> dialog.reason;
                            case DISMISSED -> "dismissed";
                            case FAILED -> "the agent has failed or gone";
                        }));
    }

    private void cancel(Dialog dialog, String reason) {
        if (dialogs.contains(dialog)) {
            dialog.agent.channel().cancel(dialog.cookie);
            finish(dialog, Outcome.notAuthenticated(reason));
        }
    }

    private void finish(Dialog dialog, Outcome outcome) {
        if (dialogs.remove(dialog)) {
            if (dialog.subject != null) {
                dialog.subject.close();
            }
            dialog.outcome.complete(outcome);
        }
    }

    /** Cancels the dialogs of an agent that has gone. */
    void cancelAll(Agent agent, String reason) {
        of(agent).forEach(dialog -> cancel(dialog, reason));
    }

    /** Returns the connections of dialogs' subjects, and those of helpers. */
    Set<String> connections() {
        return Stream.concat(
                        dialogs.stream()
                                .map(dialog -> dialog.subjectName)
                                .filter(name -> !name.isEmpty()),
                        attempts.keySet().stream())
                .collect(Collectors.toSet());
    }

    /** Cancels the dialogs about connections that have gone. */
    void cancelAbout(Predicate<String> isGone) {
        dialogs.stream()
                .filter(dialog -> !dialog.subjectName.isEmpty() && isGone.test(dialog.subjectName))
                .toList()
                .forEach(dialog -> cancel(dialog, "the subject has gone"));
    }

    /** Returns how many dialogs are open. */
    int open() {
        return dialogs.size();
    }

    /** Returns how many dialogs the agents of each user have not answered. */
    Map<Long, Integer> unansweredOfUsers() {
        return Map.copyOf(unansweredOfUser);
    }

    /** Returns how many attempts to authenticate the agents of each user have under way. */
    Map<Long, Integer> attemptsOfUsers() {
        Map<Long, Integer> ofUsers = new HashMap<>();
        attempts.values().forEach(user -> ofUsers.merge(user, 1, Integer::sum));
        return ofUsers;
    }

    /** Cancels all dialogs. Called when the loop has ended. */
    @Override
    public void close() {
        List.copyOf(dialogs).forEach(dialog -> cancel(dialog, "the authority ends"));
    }

    /**
     * Lets a helper begin an attempt to authenticate. The attempt is under way until the helper's
     * connection ends.
     *
     * @param helper the helper's connection
     * @param user the user who is to authenticate
     * @param agentUid the user whose agent the cookie must belong to
     * @param agent the process that talks to the helper
     * @throws AuthorityException if that agent has no such dialog, the user was not offered, or the
     *     agent's user has as many attempts under way as the limit allows
     */
    void attempt(
            String helper,
            String cookie,
            long user,
            OptionalLong agentUid,
            Optional<Subject.UnixProcess> agent) {
        Dialog dialog = require(dialog(cookie, each -> fits(each.agent, agentUid, agent)));
        requireOffered(dialog, user);
        long agents = dialog.agent.uid();
        long underWay = attempts.values().stream().filter(each -> each == agents).count();
        if (underWay >= MAX_ATTEMPTS_PER_USER) {
            throw AuthorityException.failed(
                    "user %d has %d attempts to authenticate under way, which is the limit; %s"
                            .formatted(
                                    agents, underWay, AuthorityLimits.ATTEMPTS_OF_USER.remedy()));
        }
        Long _ = attempts.put(helper, agents);
    }

    /** Ends the attempts of helpers whose connections have gone. */
    void endAttempts(Predicate<String> isGone) {
        boolean _ = attempts.keySet().removeIf(isGone);
    }

    private static void requireOffered(Dialog dialog, long user) {
        if (!dialog.users.contains(user)) {
            throw AuthorityException.failed(
                    "The authenticated identity is wrong: user "
                            + user
                            + " was not offered to the agent");
        }
    }

    /**
     * Records a helper's report that a user has authenticated.
     *
     * @param agentUid the user whose agent the cookie must belong to; empty for the old method,
     *     which does not report it
     * @param agent the process that talked to the helper; empty if the helper does not report it
     * @throws AuthorityException if that agent has no such dialog, or the user was not offered
     */
    void respond(
            String cookie, long user, OptionalLong agentUid, Optional<Subject.UnixProcess> agent) {
        Dialog dialog = require(dialog(cookie, each -> fits(each.agent, agentUid, agent)));
        requireOffered(dialog, user);
        dialog.authenticated = OptionalLong.of(user);
        dialog.reason =
                "reported by a helper that "
                        + agent.map(process -> "identified its agent " + process.origin())
                                .orElse("did not identify its agent");
    }

    /** Returns whether the user and the process that a helper reports fit this agent. */
    private static boolean fits(
            Agent agent, OptionalLong uid, Optional<Subject.UnixProcess> reported) {
        Optional<PidFd> process = reported.map(Subject.UnixProcess::pidFd);
        return (uid.isEmpty() || uid.getAsLong() == agent.uid() || isRealUser(agent.uid(), process))
                && (process.isEmpty()
                        || agent.process().isEmpty()
                        || agent.process().equals(process));
    }

    /**
     * Compares with the process's real user. An agent that is part of a set-uid program, such as
     * that of pkexec, registers as the real user, but the helper of polkit 127 reports the
     * effective one (polkit, issue 686).
     */
    private static boolean isRealUser(long uid, Optional<PidFd> process) {
        try {
            return process.isPresent() && Subject.UnixProcess.realUid(process.get()) == uid;
        } catch (ErrnoException e) {
            return false; // the process has gone
        }
    }

    private Optional<Dialog> dialog(String cookie, Predicate<Dialog> fits) {
        byte[] wanted = cookie.getBytes(US_ASCII);
        Dialog found = null;
        for (Dialog each : dialogs) { // all, in constant time: the duration leaks nothing
            if (MessageDigest.isEqual(each.cookie.getBytes(US_ASCII), wanted)) {
                found = each;
            }
        }
        return Optional.ofNullable(found).filter(fits);
    }

    private static Dialog require(Optional<Dialog> dialog) {
        return dialog.orElseThrow(() -> AuthorityException.failed("No session for cookie"));
    }
}
