package io.holdfast.authority.agent;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import java.io.IOException;
import java.util.Optional;

/**
 * The agent that called the helper: the process that connected, and its real user. The effective
 * user would be root for an agent within a setuid program, such as that of pkexec. The user grants
 * nothing here: the authority compares it with the agent that registered, and refuses another.
 *
 * @param process lent
 * @param text describes it for the log; made while it lived
 */
record CallingAgent(PidFd process, long realUid, String text) {
    /**
     * Reads the facts from the process itself.
     *
     * @throws IOException if the process is not held or has exited, so that nothing is known of it
     */
    static CallingAgent of(Peer peer) throws IOException {
        if (!(peer instanceof Peer.Held held)) {
            throw new IOException(
                    "the agent is not held, " + peer + ": SO_PEERPIDFD needs Linux 6.5");
        }
        PidFd process = held.process();
        Optional<Credentials> credentials = process.info().credentials();
        if (credentials.isEmpty() || !process.isAlive()) {
            throw new IOException("the agent has exited: " + peer);
        }
        long uid = credentials.get().realUid();
        String unit = unit(process).map(name -> " in " + name).orElse("");
        return new CallingAgent(process, uid, named(process) + " of user " + uid + unit);
    }

    /** Describes a process, after reading its PID and pidfs id, which its text then contains. */
    private static String named(PidFd process) {
        int ignored = process.pid();
        if (Feature.PIDFS.isPresent()) {
            long _ = process.id();
        }
        return process.toString();
    }

    /**
     * Checks that the process has not exited.
     *
     * @throws IOException if it has: its identity authorizes nothing any more
     */
    void requireAlive() throws IOException {
        if (!process.isAlive()) {
            throw new IOException("the agent has exited meanwhile");
        }
    }

    private static Optional<String> unit(PidFd process) {
        try {
            return CgroupPlace.of(process).flatMap(path -> path.userUnit().or(path::unit));
        } catch (ErrnoException e) {
            return Optional.empty(); // it has just exited
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
