package io.holdfast.manager.unit.install;

/**
 * One step of an operation on unit files: a link that was made or removed, or the reason why there
 * is none.
 *
 * @param path of the link, or the name of the unit that the reason is about
 * @param source the target of a new link, or empty
 */
public record InstallChange(Kind kind, String path, String source) {
    /** What was done. */
    public enum Kind {
        /** A link was made. */
        SYMLINK("symlink"),
        /** A link was removed. */
        UNLINK("unlink"),
        /** Nothing was done for a unit, which is masked. */
        MASKED("masked"),
        /** The link was made, but the unit that it is for does not exist. */
        DESTINATION_MISSING("destination not present"),
        /** A unit of {@code Also=} does not exist. */
        AUXILIARY_FAILED("auxiliary unit failed");

        private final String word;

        Kind(String word) {
            this.word = word;
        }

        /** Returns the word that systemd's D-Bus interface has for it. */
        public String word() {
            return word;
        }
    }

    static InstallChange made(String path, String target) {
        return new InstallChange(Kind.SYMLINK, path, target);
    }

    static InstallChange removed(String path) {
        return new InstallChange(Kind.UNLINK, path, "");
    }

    /** Returns whether a file was changed. */
    public boolean isModification() {
        return kind == Kind.SYMLINK || kind == Kind.UNLINK;
    }
}
