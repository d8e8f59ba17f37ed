package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;

/** Who owns the well-known name that a subscription follows. Safe for use by any thread. */
final class FollowedName {
    /** Whom the name means now: "" for nobody. */
    @GuardedBy("this")
    private String owner = "";

    @GuardedBy("this")
    private boolean told;

    /** The bus tells of a change, in the order of all messages. */
    synchronized void changed(String now) {
        owner = now;
        told = true;
    }

    /** The answer to our question, which may be older than what the bus told since. */
    synchronized void atFirst(String then) {
        owner = told ? owner : then;
    }

    synchronized boolean isOwnedBy(String sender) {
        return sender.equals(owner);
    }
}
