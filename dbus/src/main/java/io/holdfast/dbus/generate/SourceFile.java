package io.holdfast.dbus.generate;

/**
 * A file of Java source.
 *
 * @param path the path relative to the source folder, with slashes
 * @param text the content
 */
public record SourceFile(String path, String text) {}
