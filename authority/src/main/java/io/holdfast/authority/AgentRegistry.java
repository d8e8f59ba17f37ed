package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.limit.FairShare;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The registered agents, at most one for each subject. Used only on the loop. */
final class AgentRegistry {
    private final FairShare<Long> shares =
            FairShare.<Long>of(AuthorityLimits.AGENTS).withTrusted(user -> user == 0);

    private final List<Agent> agents = new ArrayList<>();

    /**
     * Adds an agent.
     *
     * @throws AuthorityException if the subject already has an agent, or its user's share of the
     *     agents is used up
     */
    void add(Agent agent) {
        if (find(agent.scope()).isPresent()) {
            throw AuthorityException.failed(
                    "An authentication agent already exists for the given subject");
        }
        if (!shares.tryTake(agent.uid(), 1)) {
            throw AuthorityException.failed(shares.refusal(agent.uid()));
        }
        agents.add(agent);
    }

    /** Finds the agent that is registered for exactly this subject. */
    Optional<Agent> find(Subject subject) {
        return first(agent -> isSame(agent.scope(), subject));
    }

    /**
     * Chooses the agent for a subject: the one of the subject or its process, unless that is a
     * fallback and the session has an agent; otherwise the session's.
     */
    Optional<Agent> choose(Subject subject, Optional<String> session) {
        Optional<Agent> own = find(subject);
        Optional<Agent> ofSession =
                session.flatMap(id ->
                        first(agent ->
                                agent.scope() instanceof Subject.UnixSession(String other, _)
                                        && other.equals(id)));
        return own.filter(agent -> !agent.fallback()).or(() -> ofSession).or(() -> own);
    }

    boolean remove(Agent agent) {
        boolean removed = agents.removeIf(each -> each.serial() == agent.serial());
        if (removed) {
            shares.release(agent.uid(), 1);
        }
        return removed;
    }

    List<Agent> all() {
        return List.copyOf(agents);
    }

    private Optional<Agent> first(Predicate<Agent> fits) {
        return agents.stream().filter(fits).findFirst();
    }

    /** Returns whether both are the same session or process; a bus name counts as its process. */
    static boolean isSame(Subject one, Subject other) {
        if (one instanceof Subject.UnixSession(String id, _)) {
            return other instanceof Subject.UnixSession(String otherId, _) && id.equals(otherId);
        }
        return one.process().isPresent()
                && one.process()
                        .map(Subject.UnixProcess::pidFd)
                        .equals(other.process().map(Subject.UnixProcess::pidFd));
    }
}
