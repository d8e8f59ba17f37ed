package io.holdfast.manager.unit;

import java.util.Optional;

/**
 * One line about one place of a unit file.
 *
 * @param message complete without the place; it names the directive
 * @param cost what the unit goes without, where a directive has no effect
 */
public record Diagnostic(Place place, Kind kind, String message, Optional<DirectiveCost> cost) {
    /** Kept per unit or folder scan; what comes later is counted in one last line. */
    public static final int LIMIT = 500;

    /** How bad it is. */
    public enum Severity {
        /** The unit must not be started. */
        ERROR,
        /** Something written has no effect. */
        WARNING,
        /** Valid, but worth a word. */
        NOTICE
    }

    /** What it is about. */
    public enum Kind {
        /** The unit cannot be loaded with this: it must not be started. */
        REFUSED(Severity.ERROR),
        /** A broken line or value: it has no effect. */
        IGNORED(Severity.WARNING),
        /** A section or directive that nobody knows: it has no effect. */
        UNKNOWN(Severity.WARNING),
        /** A directive of systemd that Holdfast does not apply: it has no effect. */
        NOT_APPLIED(Severity.NOTICE),
        /** It names something that is not there: a program, a user, a unit. */
        NOT_THERE(Severity.ERROR),
        /** It has its effect, but should be written otherwise. */
        REMARK(Severity.NOTICE);

        private final Severity severity;

        Kind(Severity severity) {
            this.severity = severity;
        }

        /** How bad all of this kind are. */
        public Severity severity() {
            return severity;
        }
    }

    /** A line about no directive without effect. */
    public Diagnostic(Place place, Kind kind, String message) {
        this(place, kind, message, Optional.empty());
    }

    /** How bad it is: that of its kind, but a unit that lacks a protection is worth a warning. */
    public Severity severity() {
        return isSecurity() && kind.severity() == Severity.NOTICE
                ? Severity.WARNING
                : kind.severity();
    }

    /** Whether the unit runs with less protection than its files ask for. */
    public boolean isSecurity() {
        return cost.isPresent() && cost.get().security();
    }

    /** The message, and what the unit goes without. */
    public String text() {
        return message + cost.map(lost -> ": " + lost.text()).orElse("");
    }

    /** {@code file:line: text}. */
    @Override
    public String toString() {
        return place + ": " + text();
    }
}
