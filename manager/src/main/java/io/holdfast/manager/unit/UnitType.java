package io.holdfast.manager.unit;

import java.util.Locale;
import java.util.Optional;

/** The types of units, by the suffix of their names. */
public enum UnitType {
    SERVICE,
    SOCKET,
    TARGET,
    DEVICE,
    MOUNT,
    AUTOMOUNT,
    SWAP,
    TIMER,
    PATH,
    SLICE,
    SCOPE;

    private final String suffix = "." + name().toLowerCase(Locale.ROOT);
    private final String section = name().charAt(0) + suffix.substring(2);

    /** {@return the suffix with its dot: {@code .service}} */
    public String suffix() {
        return suffix;
    }

    /** {@return the name of the type's section: {@code Service}} */
    public String section() {
        return section;
    }

    public boolean mayHaveAliases() {
        return switch (this) {
            case SERVICE, SOCKET, TARGET, DEVICE, TIMER, PATH -> true;
            case MOUNT, AUTOMOUNT, SWAP, SLICE, SCOPE -> false;
        };
    }

    /** {@return whether a unit of this type exists by its name alone} Files only add to it. */
    public boolean isImplicit() {
        return this == SLICE || this == DEVICE;
    }

    /** {@return whether a unit of this type is made on request at run time, never by a file} */
    public boolean isTransient() {
        return this == SCOPE;
    }

    /** {@return whether a unit of this type can stop at a request} */
    public boolean mayStop() {
        return this != DEVICE;
    }

    /** {@return whether a unit of this type can stop and start again} */
    public boolean mayRestart() {
        return mayStop() && !startsOnce();
    }

    /** {@return whether a unit of this type can be started only once} */
    public boolean startsOnce() {
        return this == SCOPE;
    }

    /** {@return whether a unit of this type starts other units on an event} */
    public boolean triggers() {
        return switch (this) {
            case SOCKET, AUTOMOUNT, TIMER, PATH -> true;
            case SERVICE, TARGET, DEVICE, MOUNT, SWAP, SLICE, SCOPE -> false;
        };
    }

    /** {@return whether units of this type have processes of their own} */
    public boolean hasProcesses() {
        return this == SERVICE || this == SCOPE || this == MOUNT || this == SWAP;
    }

    /** {@return whether a unit of this type can reload} */
    public boolean mayReload() {
        return this == SERVICE || this == MOUNT;
    }

    /** {@return whether systemd makes units of this type at run time} */
    public boolean canBeMade() {
        return switch (this) {
            case SERVICE, SOCKET, MOUNT, AUTOMOUNT, TIMER, PATH, SLICE, SCOPE -> true;
            case TARGET, DEVICE, SWAP -> false;
        };
    }

    /** Returns the type whose suffix ends this name, with exactly that case. */
    public static Optional<UnitType> ofName(String name) {
        for (UnitType type : values()) {
            if (name.endsWith(type.suffix)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
