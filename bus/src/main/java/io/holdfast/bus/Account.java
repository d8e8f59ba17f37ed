package io.holdfast.bus;

/** One user of the bus, while it has connections or something of its is under way. */
final class Account {
    final long uid;

    /** Its number in queues and quotas. */
    final int user;

    /** Connections, from accept to close. */
    int connections;

    /** Connections that said Hello. */
    int registered;

    Account(long uid, int user) {
        this.uid = uid;
        this.user = user;
    }

    int user() {
        return user;
    }
}
