package io.holdfast.authority.subject;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Optional;

/**
 * Who is asked about. A process in it is held, and owned: closing the subject closes its pidfd.
 * Immutable; safe for use by any thread until it is closed.
 */
public sealed interface Subject extends AutoCloseable {
    /** The user that it acts for: 0 to 4294967294. */
    long uid();

    /** The process, where it is one. */
    Optional<UnixProcess> process();

    /** The same with descriptors of its own. */
    Subject duplicate();

    @Override
    void close();

    /** How a process came to be held, and so what may be decided on it. */
    enum Origin {
        /** Somebody passed a pidfd. */
        DESCRIPTOR("by a pidfd that was passed", true),
        /** It is the peer of a socket, held since it connected. */
        PEER("since it connected", true),
        /** The bus passed its pidfd (ProcessFD). */
        BUS("by the bus since it connected", true),
        /**
         * A number came in, and was turned into a pidfd here: what had the number before may have
         * been meant.
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
     * @param uid as claimed by who asks: whether they may claim it is for the authority to find out
     * @param groups its supplementary groups, where they were told with it; else the user's
     */
    record UnixProcess(PidFd pidFd, long uid, Origin origin, Optional<List<Long>> groups)
            implements Subject {
        public UnixProcess {
            groups = groups.map(List::copyOf);
        }

        /** The process as it is right now, of its own real user. */
        public static UnixProcess of(PidFd pidFd, Origin origin) {
            return new UnixProcess(pidFd, realUid(pidFd), origin, Optional.empty());
        }

        /**
         * The real user of a process, right now.
         *
         * @throws ErrnoException ESRCH if it has gone
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
