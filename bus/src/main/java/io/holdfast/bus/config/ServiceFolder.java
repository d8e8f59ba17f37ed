package io.holdfast.bus.config;

import java.nio.file.Path;
import java.util.List;

/**
 * A folder with service files.
 *
 * @param strict whether a file must be named after the bus name that it is for
 */
public record ServiceFolder(Path path, boolean strict) {
    /** Returns the folders of a system bus, the one that takes precedence first. Root owns them. */
    public static List<ServiceFolder> ofSystem() {
        return StandardFolders.system();
    }
}
