package io.holdfast.dbus.wire;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.marshal.Syntax;

/**
 * A value of type {@code o}: the path of an object.
 *
 * @param path the path
 */
public record ObjectPath(String path) {
    /**
     * Checks the path.
     *
     * @throws IllegalArgumentException if the text is no valid object path
     */
    public ObjectPath {
        requireNonNull(path, "path");
        if (!Syntax.isObjectPath(path)) {
            throw new IllegalArgumentException("not an object path: '" + path + "'");
        }
    }

    @Override
    public String toString() {
        return path;
    }
}
