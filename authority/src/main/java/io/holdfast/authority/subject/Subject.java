package io.holdfast.authority.subject;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/**
 * The process, connection or session that a decision is about, and the user for whom it acts.
 *
 * <p>A process is identified by two things together: the pidfd that holds it, and the user that it
 * had when it connected to the caller. The pidfd identifies the process. It does not identify the
 * user for whom the process acts, because a process can change its user: it executes a set-uid
 * program, or calls setresuid(2). A decision by the present user would give a user the
 * authorizations of root if the process executes such a program between the request and the
 * decision (CVE-2011-1485, CVE-2013-4288). So no subject is made from a process alone: the user
 * comes with it, from the socket ({@link io.holdfast.core.socket.Peer}), from the bus, or from the
 * caller to which the process connected.
 *
 * <p>A subject owns its process: closing the subject closes the pidfd. Immutable; any thread may
 * use it until it is closed.
 */
public sealed interface Subject extends AutoCloseable {
    /** Returns the user for whom it acts: 0 to 4294967294. */
    long uid();

    /** Returns the process; empty if the subject is a session, or its process is not known. */
    Optional<UnixProcess> process();

    /** Returns an equal subject with its own descriptors. */
    Subject duplicate();

    @Override
    void close();

    /** How the pidfd was obtained, which determines how far the process can be trusted. */
    enum Origin {
        /** The caller passed a pidfd, and states the user. */
        DESCRIPTOR("by a pidfd that was passed", true),
        /** The peer of a socket, held since it connected; the kernel recorded its user then. */
        PEER("since it connected", true),
        /** The bus passed its pidfd (ProcessFD), and its user at the time that it connected. */
        BUS("by the bus since it connected", true),
        /**
         * The caller passed a PID, which was turned into a pidfd here, and states the user. The
         * caller may have meant an earlier process with the same PID.
         */
        NUMBER("from a number that was passed, unsafe", false);

        private final String words;
        private final boolean safe;

        Origin(String words, boolean safe) {
            this.words = words;
            this.safe = safe;
        }

        /** Returns whether the process is certainly the one that the caller means. */
        public boolean isSafe() {
            return safe;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /**
     * A process.
     *
     * @param uid the user that it had when it connected: recorded by the kernel or the bus, or
     *     stated by the caller, depending on {@code origin}
     * @param groups its supplementary groups at that time and the primary one; empty if the groups
     *     in the user database are to be used
     */
    record UnixProcess(PidFd pidFd, long uid, Origin origin, Optional<List<Long>> groups)
            implements Subject {
        public UnixProcess {
            groups = groups.map(List::copyOf);
        }

        /**
         * Makes a subject of a process and the user that the caller states.
         *
         * @param pidFd owned from now on
         */
        public static UnixProcess claimed(PidFd pidFd, long uid, Origin origin) {
            return new UnixProcess(pidFd, uid, origin, Optional.empty());
        }

        /**
         * Makes a subject of a socket's peer, with the user and groups of that connection.
         *
         * @param peer the subject owns its process from now on
         */
        public static UnixProcess of(Peer.Held peer) {
            LinkedHashSet<Long> groups = new LinkedHashSet<>(List.of(peer.gid()));
            boolean _ = groups.addAll(peer.groups());
            return new UnixProcess(
                    peer.process(), peer.uid(), Origin.PEER, Optional.of(List.copyOf(groups)));
        }

        /**
         * Returns whether the user is certain, or is at least the process's present real user. A
         * stated user that is not even the present one can be refused. A match proves nothing, but
         * a caller that may ask about other users is trusted anyway.
         */
        public boolean isPlausible() {
            try {
                return switch (origin) {
                    case PEER, BUS -> true;
                    case DESCRIPTOR, NUMBER -> realUid(pidFd) == uid;
                };
            } catch (ErrnoException e) {
                return false; // the process has gone
            }
        }

        /**
         * Returns the present real user of a process. Use it to refuse a stated user or for
         * display, never as the user of a decision.
         *
         * @throws ErrnoException ESRCH if the process has gone
         */
        public static long realUid(PidFd pidFd) {
            return pidFd.info()
                    .credentials()
                    .orElseThrow(() ->
                            new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), Errno.ESRCH))
                    .realUid();
        }

        @Override
        public Optional<UnixProcess> process() {
            return Optional.of(this);
        }

        @Override
        public UnixProcess duplicate() {
            return new UnixProcess(pidFd.duplicate(), uid, origin, groups);
        }

        @Override
        public void close() {
            pidFd.close();
        }

        @Override
        public String toString() {
            return pidFd + " of user " + uid + ", held " + origin;
        }
    }

    /**
     * A connection to a message bus.
     *
     * @param name unique, also among the connections of other buses
     * @param unixProcess the process that connected; empty if the bus did not report it
     */
    record BusName(String name, long uid, Optional<UnixProcess> unixProcess) implements Subject {
        @Override
        public Optional<UnixProcess> process() {
            return unixProcess;
        }

        @Override
        public BusName duplicate() {
            return new BusName(name, uid, unixProcess.map(UnixProcess::duplicate));
        }

        @Override
        public void close() {
            unixProcess.ifPresent(UnixProcess::close);
        }

        @Override
        public String toString() {
            return name + unixProcess.map(process -> ", " + process).orElse(" of user " + uid);
        }
    }

    /** A login session. */
    record UnixSession(String id, long uid) implements Subject {
        @Override
        public Optional<UnixProcess> process() {
            return Optional.empty();
        }

        @Override
        public UnixSession duplicate() {
            return this;
        }

        @Override
        public void close() {}

        @Override
        public String toString() {
            return "session " + id + " of user " + uid;
        }
    }
}
