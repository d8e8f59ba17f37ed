package io.holdfast.bus.policy;

/**
 * One side of a message, with the names that it has at this moment. Policy rules and match rules
 * are compared with these names, and never with the header, except for a side without a connection:
 * the bus itself, and a service that is yet to be started.
 */
public interface Party {
    /** The number of all names that no peer of this bus ever has, such as {@code :2.7}. */
    long NOBODY = -2;

    /** Returns the number of its {@link UniqueName}; -1 if it has none. */
    long id();

    /** Returns the number of its well-known names, as primary owner or in the queue. */
    int names();

    /**
     * Returns one of its well-known names.
     *
     * @param index from 0, below {@link #names}
     */
    String name(int index);

    /** Returns whether it is the primary owner of that name, rather than in the queue. */
    boolean isPrimary(int index);

    /** Returns the bus itself. */
    static Party bus() {
        return Named.BUS;
    }

    /** Returns the service that is to be started for a name; only that name is known of it. */
    static Party expected(String name) {
        return new Named(name, false);
    }

    /** Returns whether it is the primary owner of this name. */
    default boolean owns(String name) {
        for (int i = 0; i < names(); i++) {
            if (isPrimary(i) && name(i).equals(name)) {
                return true;
            }
        }
        return false;
    }

    /**
     * A side without a connection.
     *
     * @param present false for a service that is yet to be started
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
