package io.holdfast.bus.policy;

/**
 * One side of a message, by the names that it has at this moment. Rules of policies and of matches
 * speak of these names, and never of what a header says, except where a side has no connection: the
 * bus itself, and a service that is yet to be started.
 */
public interface Party {
    /** The number of what no peer of this bus is ever named, such as {@code :2.7}. */
    long NOBODY = -2;

    /** The number of its {@link UniqueName}; -1 for who has none. */
    long id();

    /** How many well-known names it has, be it as primary owner or in the queue. */
    int names();

    /**
     * One of its well-known names.
     *
     * @param index from 0, below {@link #names}
     */
    String name(int index);

    /** Whether it is the primary owner of that name, and does not wait for it in the queue. */
    boolean isPrimary(int index);

    /** The bus itself. */
    static Party bus() {
        return Named.BUS;
    }

    /** Who is to be started for a name: the one name is all that is known of it. */
    static Party expected(String name) {
        return new Named(name, false);
    }

    /** Whether it has this well-known name, in the queue too. */
    default boolean has(String name) {
        for (int i = 0; i < names(); i++) {
            if (name(i).equals(name)) {
                return true;
            }
        }
        return false;
    }

    /** Whether it is the primary owner of this name. */
    default boolean owns(String name) {
        for (int i = 0; i < names(); i++) {
            if (isPrimary(i) && name(i).equals(name)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Somebody without a connection.
     *
     * @param present whether it is there; false for who is yet to be started
     */
    record Named(String name, boolean present) implements Party {
        private static final Party BUS = new Named("org.freedesktop.DBus", true);

        @Override
        public long id() {
            return -1;
        }

        @Override
        public int names() {
            return 1;
        }

        @Override
        public String name(int index) {
            return name;
        }

        @Override
        public boolean isPrimary(int index) {
            return present;
        }
    }
}
