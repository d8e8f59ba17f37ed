package io.holdfast.core.socket;

import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * The sender of one message, if the receiver has requested it ({@link UnixSocket#passIdentity}). As
 * with a {@link Peer}, only {@link Held} identifies a process: never use the PID instead.
 *
 * <p>A sender with CAP_SYS_ADMIN may name another process as the sender, whose pidfd the receiver
 * then gets; a sender with CAP_SETUID and CAP_SETGID may name other ids.
 */
public sealed interface Sender extends AutoCloseable {
    /** {@return its PID, for people; 0 if it is not in our PID namespace, or is not known} */
    int pid();

    /** {@return its real user} */
    long uid();

    /** {@return its real group} */
    long gid();

    /** {@return the process, if it is held} */
    default Optional<PidFd> pidFd() {
        return Optional.empty();
    }

    @Override
    default void close() {}

    /**
     * The process itself, held by SCM_PIDFD (Linux 6.5). Closing this closes the pidfd.
     *
     * @param process the sending process
     * @param pid its PID when it sent
     * @param uid its real user
     * @param gid its real group
     */
    record Held(PidFd process, int pid, long uid, long gid) implements Sender {
        @Override
        public Optional<PidFd> pidFd() {
            return Optional.of(process);
        }

        @Override
        public void close() {
            process.close();
        }

        @Override
        public String toString() {
            return process + " of user " + uid;
        }
    }

    /**
     * A sender on a kernel without SCM_PIDFD, or received when this process had no free descriptor:
     * another process may have its PID by now.
     *
     * @param pid its PID when it sent
     * @param uid its real user
     * @param gid its real group
     */
    record BestEffort(int pid, long uid, long gid) implements Sender {
        @Override
        public String toString() {
            return described(this, "not held");
        }
    }

    /**
     * A sender that was reaped before it could be held (Linux 6.5 to 6.16).
     *
     * @param pid its PID when it sent
     * @param uid its real user
     * @param gid its real group
     */
    record Gone(int pid, long uid, long gid) implements Sender {
        @Override
        public String toString() {
            return described(this, "gone");
        }
    }

    private static String described(Sender sender, String what) {
        String number = sender.pid() == 0 ? "" : " " + sender.pid();
        return "process" + number + " (" + what + ") of user " + sender.uid();
    }
}
