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
 * had when it connected to whoever asks. The pidfd says which process is meant. It does not say for
 * whom that acts, because a process changes its users: it executes a set-uid program, or calls
 * setresuid(2). A decision by the user of now would give a user the authorizations of root, if he
 * executes such a program between his request and the decision (CVE-2011-1485, CVE-2013-4288). So
 * no subject is made from a process alone: the user comes with it, from the socket ({@link
 * io.holdfast.core.socket.Peer}), from the bus, or from the caller who saw it there.
 *
 * <p>A process in a subject is owned: closing the subject closes its pidfd. Immutable; safe for use
 * by any thread until it is closed.
 */
public sealed interface Subject extends AutoCloseable {
    /** The user for whom it acts: 0 to 4294967294. */
    long uid();

    /** The process, where it is one. */
    Optional<UnixProcess> process();

    /** The same with descriptors of its own. */
    Subject duplicate();

    @Override
    void close();

    /** How a process came to be held, and so what may be decided about it. */
    enum Origin {
        /** The caller passed a pidfd, and claims the user. */
        DESCRIPTOR("by a pidfd that was passed", true),
        /** It is the peer of a socket, held since it connected; the kernel noted its user then. */
        PEER("since it connected", true),
        /** The bus passed its pidfd (ProcessFD), and the user that it had when it connected. */
        BUS("by the bus since it connected", true),
        /**
         * The caller passed a number, which was turned into a pidfd here, and claims the user. The
         * process that had the number before may have been meant.
         */
        NUMBER("from a number that was passed, unsafe", false);

        private final String words;
        private final boolean safe;

        Origin(String words, boolean safe) {
            this.words = words;
            this.safe = safe;
        }

        /** Whether it is certain that the process is the one that is meant. */
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
     * @param uid the user that it had when it connected: noted by the kernel or the bus, or claimed
     *     by the caller, as {@code origin} says
     * @param groups its supplementary groups at that time, with the primary one; empty if they are
     *     those that a database has for the user
     */
    record UnixProcess(PidFd pidFd, long uid, Origin origin, Optional<List<Long>> groups)
            implements Subject {
        public UnixProcess {
            groups = groups.map(List::copyOf);
        }

        /**
         * A process that a caller passes with the user that it saw.
         *
         * @param pidFd owned from now on
         */
        public static UnixProcess claimed(PidFd pidFd, long uid, Origin origin) {
            return new UnixProcess(pidFd, uid, origin, Optional.empty());
        }

        /**
         * The process at the other end of a socket, with the user and groups of that connection.
         *
         * @param peer whose process is owned by the subject from now on
         */
        public static UnixProcess of(Peer.Held peer) {
            LinkedHashSet<Long> groups = new LinkedHashSet<>(List.of(peer.gid()));
            boolean _ = groups.addAll(peer.groups());
            return new UnixProcess(
                    peer.process(), peer.uid(), Origin.PEER, Optional.of(List.copyOf(groups)));
        }

        /**
         * Whether the user is certain, or is at least the process's real user now. A claim that is
         * not even true now can be refused; one that is true now proves nothing for a caller that
         * may ask about others, whose word counts instead.
         */
        public boolean isPlausible() {
            try {
                return switch (origin) {
                    case PEER, BUS -> true;
                    case DESCRIPTOR, NUMBER -> realUid(pidFd) == uid;
                };
            } catch (ErrnoException e) {
                return false; // it is gone
            }
        }

        /**
         * The real user of a process now: to refuse a claim by, or to tell people; never the user
         * of a decision.
         *
         * @throws ErrnoException ESRCH if it is gone
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
     * @param unixProcess who connected; empty if the bus could not tell
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
