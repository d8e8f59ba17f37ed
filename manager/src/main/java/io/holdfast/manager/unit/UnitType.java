package io.holdfast.manager.unit;

import java.util.Locale;
import java.util.Optional;

/** The kinds of units, by the suffix of their names. */
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

    /** With its dot: {@code .service}. */
    public String suffix() {
        return suffix;
    }

    /** The name of its own section: {@code Service}. */
    public String section() {
        return section;
    }

    /** Whether a unit of this kind may be known under a second name. */
    public boolean mayHaveAliases() {
        return switch (this) {
            case SERVICE, SOCKET, TARGET, DEVICE, TIMER, PATH -> true;
            case MOUNT, AUTOMOUNT, SWAP, SLICE, SCOPE -> false;
        };
    }

    /** Whether its name is enough for a unit of this kind: files only add to it. */
    public boolean isMadeByName() {
        return this == SLICE || this == DEVICE;
    }

    /** Whether no file makes a unit of this kind, but whoever asks for it. */
    public boolean isTransient() {
        return this == SCOPE;
    }

    /** The type whose suffix ends this name. The case matters. */
    public static Optional<UnitType> ofName(String name) {
        for (UnitType type : values()) {
            if (name.endsWith(type.suffix)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
