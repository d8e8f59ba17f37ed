package io.holdfast.manager.unit;

/**
 * One line about one place of a unit file.
 *
 * @param message complete without the place; it names the directive
 */
public record Diagnostic(Place place, Kind kind, String message) {
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
        /** A directive of systemd that Holdfast does not act on yet. */
        NOT_HONOURED(Severity.NOTICE),
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

    /** How bad it is: that of its kind. */
    public Severity severity() {
        return kind.severity();
    }

    /** {@code file:line: message}. */
    @Override
    public String toString() {
        return place + ": " + message;
    }
}
