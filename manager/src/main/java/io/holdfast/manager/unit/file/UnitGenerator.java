package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Makes units that have no unit file, from files in another format. Must be safe for use by any
 * thread; may block.
 */
@FunctionalInterface
public interface UnitGenerator {
    /** Makes no units. */
    UnitGenerator NONE = _ -> Optional.empty();

    /**
     * A unit that was made.
     *
     * @param source the file from which it was made
     * @param text the unit, in the syntax of unit files
     */
    record Generated(Path source, String text) {}

    /** Returns the unit with a name, if there is one now. */
    Optional<Generated> generate(UnitName name);
}
