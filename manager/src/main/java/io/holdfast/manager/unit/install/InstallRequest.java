package io.holdfast.manager.unit.install;

import java.util.List;

/**
 * An operation on unit files, after systemctl(1).
 *
 * @param files names of units; for some operations also absolute paths of unit files; for a preset
 *     none for all unit files
 * @param runtime whether the links last until the next boot only
 * @param force whether links that lead elsewhere are replaced
 */
public record InstallRequest(
        Operation operation, List<String> files, boolean runtime, boolean force) {
    /** The operations. */
    public enum Operation {
        ENABLE,
        DISABLE,
        REENABLE,
        LINK,
        MASK,
        UNMASK,
        /** Enables or disables as the preset files say. */
        PRESET,
        /** The enabling half of {@link #PRESET}. */
        PRESET_ENABLE_ONLY,
        /** The disabling half of {@link #PRESET}. */
        PRESET_DISABLE_ONLY,
        /** Removes what administrators have put over the units of the installed system. */
        REVERT,
        /** Makes the first unit the default target. */
        SET_DEFAULT,
        /** Makes the first unit want the others. */
        ADD_WANTS,
        /** Makes the first unit require the others. */
        ADD_REQUIRES
    }

    public InstallRequest {
        files = List.copyOf(files);
    }

    /** Returns a request for links that last, and that replaces nothing. */
    public static InstallRequest of(Operation operation, List<String> files) {
        return new InstallRequest(operation, files, false, false);
    }
}
