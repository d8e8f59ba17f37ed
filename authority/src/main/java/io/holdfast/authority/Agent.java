package io.holdfast.authority;

import io.holdfast.authority.subject.Subject;
import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * An authentication agent that has registered.
 *
 * @param connection that it registered on
 * @param path of its object
 * @param scope for whom it asks: a session or a process; owned
 * @param process that registered, if it could be held; owned
 * @param fallback whether it steps back for an agent of the session
 * @param serial tells agents apart in cookies
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
    /** The user who has to be the one that authenticates through it. */
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
