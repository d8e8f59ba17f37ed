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
 * one would be root for an agent inside of a setuid program, as pkexec has one. The user grants
 * nothing here: the authority compares it with the agent that registered, and refuses another.
 *
 * @param process lent
 * @param text who it is, for the log: told while it lived
 */
record Caller(PidFd process, long realUid, String text) {
    /**
     * Asks the process itself.
     *
     * @throws IOException if it is not held or has exited: then nobody can be told from it
     */
    static Caller of(Peer peer) throws IOException {
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
        return new Caller(process, uid, named(process) + " of user " + uid + unit);
    }

    /** With the number and the id, which it shows once they are known. */
    private static String named(PidFd process) {
        int ignored = process.pid();
        if (Feature.PIDFS.isPresent()) {
            long _ = process.id();
        }
        return process.toString();
    }

    /**
     * Verifies that it has not exited.
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
            return Optional.empty(); // it exits just now
        }
    }

    @Override
    public String toString() {
        return text;
    }
}
