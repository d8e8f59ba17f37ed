package io.holdfast.interop.hostility;

/** The daemons of a stack. */
enum Daemon {
    MANAGER,
    BUS,
    AUTHORITY;

    @Override
    public String toString() {
        return switch (this) {
            case MANAGER -> "the manager";
            case BUS -> "the bus";
            case AUTHORITY -> "the authority";
        };
    }
}
