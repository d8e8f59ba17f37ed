package io.holdfast.manager.unit;

import java.util.Optional;

/**
 * A message about one place of a unit file.
 *
 * @param message complete without the place; it names the directive
 * @param cost the protection or limit that the unit lacks, if a directive has no effect
 */
public record Diagnostic(
        UnitFilePlace place, Kind kind, String message, Optional<DirectiveCost> cost) {
    /**
     * Diagnostics that are kept per unit or folder scan; further ones are counted in a last line.
     */
    public static final int LIMIT = 500;

    /** The severity of a diagnostic. */
    public enum Severity {
        /** The unit must not be started. */
        ERROR,
        /** A line has no effect. */
        WARNING,
        /** Valid, but worth a remark. */
        NOTICE
    }

    /** The kinds of diagnostics. */
    public enum Kind {
        /** The unit cannot be loaded with this: it must not be started. */
        REFUSED(Severity.ERROR),
        /** The file, or the unit's name, cannot be read at all; systemd's load state "error". */
        UNREADABLE(Severity.ERROR),
        /** A broken line or value: it has no effect. */
        IGNORED(Severity.WARNING),
        /** An unknown section or directive: it has no effect. */
        UNKNOWN(Severity.WARNING),
        /** A directive of systemd that Holdfast does not apply: it has no effect. */
        NOT_APPLIED(Severity.NOTICE),
        /** It names a program, a user or a unit that does not exist. */
        MISSING(Severity.ERROR),
        /** It has its effect, but should be written otherwise. */
        REMARK(Severity.NOTICE);

        private final Severity severity;

        Kind(Severity severity) {
            this.severity = severity;
        }

        /** {@return the severity of this kind} */
        public Severity severity() {
            return severity;
        }
    }

    /** Creates a diagnostic that is not about a directive without effect. */
    public Diagnostic(UnitFilePlace place, Kind kind, String message) {
        this(place, kind, message, Optional.empty());
    }

    /**
     * Returns the severity: that of its kind, but a warning at least if the unit lacks a
     * protection.
     */
    public Severity severity() {
        return isSecurity() && kind.severity() == Severity.NOTICE
                ? Severity.WARNING
                : kind.severity();
    }

    /** {@return whether the unit runs with less protection than its files ask for} */
    public boolean isSecurity() {
        return cost.isPresent() && cost.get().security();
    }

    /** {@return the message, and the consequence of a directive without effect} */
    public String text() {
        return message + cost.map(lost -> ": " + lost.text()).orElse("");
    }

    /** {@code file:line: text}. */
    @Override
    public String toString() {
        return place + ": " + text();
    }
}
