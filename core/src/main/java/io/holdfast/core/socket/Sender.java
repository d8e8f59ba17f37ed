package io.holdfast.core.socket;

import io.holdfast.core.process.PidFd;
import java.util.Optional;

/**
 * Who sent one message, where the receiver asked for it ({@link UnixSocket#passIdentity}). As with
 * a {@link Peer}, only {@link Held} identifies a process: never take the number in its stead.
 *
 * <p>A sender with CAP_SYS_ADMIN may name another process in its place, which the kernel then
 * holds; one with CAP_SETUID and CAP_SETGID other ids.
 */
public sealed interface Sender extends AutoCloseable {
    /** {@return its number, for people; 0 if it is not of our PID namespace, or was not told} */
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
     * @param pid its number when it sent
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
     * A kernel without SCM_PIDFD, or this process was out of descriptors: the number may be
     * another's by now.
     *
     * @param pid its number when it sent
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
     * The sender was reaped before it could be held (Linux 6.5 to 6.16).
     *
     * @param pid its number when it sent
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
