package io.holdfast.bus.config;

import java.nio.file.Path;

/**
 * A folder with service files.
 *
 * @param strict whether a file must be named after the bus name that it is for
 */
public record ServiceFolder(Path path, boolean strict) {}
