package io.holdfast.manager.notify;

import io.holdfast.core.process.PidFd;

/**
 * The process that sent a notify message.
 *
 * @param process the pidfd that the kernel gave us (SCM_PIDFD)
 * @param uid its real user when it sent the message (SCM_CREDENTIALS)
 */
public record NotifySender(PidFd process, long uid) implements AutoCloseable {
    /** Returns a copy that outlives this one. */
    NotifySender duplicate() {
        return new NotifySender(process.duplicate(), uid);
    }

    @Override
    public void close() {
        process.close();
    }

    /** The text for complaints. */
    @Override
    public String toString() {
        return process + " of user " + uid;
    }
}
