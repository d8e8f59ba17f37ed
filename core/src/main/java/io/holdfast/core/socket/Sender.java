package io.holdfast.core.socket;

import io.holdfast.core.process.PidFd;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Who sent one message, where the receiver asked for it ({@link UnixSocket#passIdentity}).
 *
 * @param process the sending process, held by SCM_PIDFD (Linux 6.5). A sender with CAP_SYS_ADMIN
 *     may name another process in its place, which the kernel then holds. Empty before, if it is
 *     gone, and if this process is out of descriptors: never take the number in its stead
 * @param gone whether the sender was reaped before it could be held (Linux 6.5 to 6.16)
 * @param pid its number, for people
 * @param uid its real user
 * @param gid its real group
 */
public record Sender(Optional<PidFd> process, boolean gone, OptionalInt pid, long uid, long gid)
        implements AutoCloseable {
    /** Closes the pidfd. */
    @Override
    public void close() {
        process.ifPresent(PidFd::close);
    }
}
