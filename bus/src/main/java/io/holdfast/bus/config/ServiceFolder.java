package io.holdfast.bus.config;

import java.nio.file.Path;

/**
 * A folder with files of services to start.
 *
 * @param strict whether a file must be named after the name that it stands for
 */
public record ServiceFolder(Path path, boolean strict) {}
