package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/** The owner of the well-known name that a subscription follows. Safe for use by any thread. */
final class FollowedName {
    /** The unique name of the owner; "" if the name has none. */
    @GuardedBy("this")
    private String owner = "";

    @GuardedBy("this")
    private boolean isAnnounced;

    /** Records a change of owner that the bus announced; called in the order of all messages. */
    synchronized void ownerChanged(String newOwner) {
        owner = newOwner;
        isAnnounced = true;
    }

    /** Records the reply to GetNameOwner, which may be older than an announced change. */
    synchronized void initialOwner(String initial) {
        owner = isAnnounced ? owner : initial;
    }

    synchronized boolean isOwnedBy(String sender) {
        return sender.equals(owner);
    }
}
