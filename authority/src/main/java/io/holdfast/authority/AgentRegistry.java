package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The agents that have registered, at most one for each subject. On the loop. */
final class AgentRegistry {
    /** Of all users. */
    static final int MAX = AuthorityLimits.AGENTS.intValue();

    /** Of one user. */
    static final int MAX_PER_USER = AuthorityLimits.AGENTS_OF_USER.intValue();

    private final List<Agent> agents = new ArrayList<>();

    /**
     * @throws AuthorityException if the subject has one, or there are too many
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

    /** The one that is registered for exactly this subject. */
    Optional<Agent> find(Subject subject) {
        return first(agent -> isSame(agent.scope(), subject));
    }

    /**
     * The one to ask for a subject: its own or its process's, unless that is a fallback and the
     * session has one; else the session's.
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

    /** Whether they are the same session or the same process; a bus name is its process. */
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
