package io.holdfast.dbus.generate;

/**
 * A file of Java source.
 *
 * @param path relative to the folder of all sources, with slashes
 * @param text what it has to hold
 */
public record SourceFile(String path, String text) {}
