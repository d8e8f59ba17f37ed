package io.holdfast.manager.unit.value;

/**
 * The working directory of a unit's processes.
 *
 * @param home {@code ~}: the home folder of their user; then {@code path} is empty
 * @param path absolute
 * @param optional {@code -}: if it is missing, they start in {@code /}
 */
public record WorkingDirectory(boolean home, String path, boolean optional) {
    public static WorkingDirectory parse(String text) {
        boolean optional = text.startsWith("-");
        String rest = optional ? text.substring(1) : text;
        return rest.equals("~")
                ? new WorkingDirectory(true, "", optional)
                : new WorkingDirectory(false, Scalars.parsePath(rest), optional);
    }

    /** Returns it as written in a unit file. */
    @Override
    public String toString() {
        return (optional ? "-" : "") + (home ? "~" : path);
    }
}
