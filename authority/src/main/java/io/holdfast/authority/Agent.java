package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * A registered authentication agent.
 *
 * @param connection the connection that it registered on
 * @param path the path of its D-Bus object
 * @param scope the session or process that it serves; owned
 * @param process the process that registered it, if it could be held; owned
 * @param fallback whether an agent of the session takes precedence
 * @param serial identifies the agent within cookies
 */
record Agent(
        long serial,
        String connection,
        String path,
        Subject scope,
        Optional<PidFd> process,
        String locale,
        boolean fallback,
        AgentChannel channel)
        implements AutoCloseable {
    /** Returns the user of the subject that the agent serves. */
    long uid() {
        return scope.uid();
    }

    @Override
    public void close() {
        scope.close();
        process.ifPresent(PidFd::close);
    }

    @Override
    public String toString() {
        return connection + " for " + scope + (fallback ? " (fallback)" : "");
    }
}
