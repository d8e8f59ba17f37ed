package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The registered agents, at most one for each subject. Used only on the loop. */
final class AgentRegistry {
    /** The maximum number of agents of all users. */
    static final int MAX = AuthorityLimits.AGENTS.intValue();

    /** The maximum number of agents of one user. */
    static final int MAX_PER_USER = AuthorityLimits.AGENTS_OF_USER.intValue();

    private final List<Agent> agents = new ArrayList<>();

    /**
     * Adds an agent.
     *
     * @throws AuthorityException if the subject already has an agent, or there are too many
     */
    void add(Agent agent) {
        if (find(agent.scope()).isPresent()) {
            throw AuthorityException.failed(
                    "An authentication agent already exists for the given subject");
        }
        long ofUser = agents.stream().filter(each -> each.uid() == agent.uid()).count();
        if (agents.size() >= MAX || ofUser >= MAX_PER_USER) {
            throw AuthorityException.failed(
                    "there are %d agents, %d of user %d, which is the limit; %s"
                            .formatted(
                                    agents.size(),
                                    ofUser,
                                    agent.uid(),
                                    agents.size() >= MAX
                                            ? AuthorityLimits.AGENTS.remedy()
                                            : AuthorityLimits.AGENTS_OF_USER.remedy()));
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
        return agents.removeIf(each -> each.serial() == agent.serial());
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
