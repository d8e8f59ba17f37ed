package io.holdfast.dbus.wire;

/**
 * A value of type {@code o}: the path of an object.
 *
 * @param path the path
 */
public record ObjectPath(String path) {
    /**
     * Checks the path.
     *
     * @throws IllegalArgumentException if it is no object path
     */
    public ObjectPath {
        if (!Syntax.isObjectPath(path)) {
            throw new IllegalArgumentException("not an object path: '" + path + "'");
        }
    }

    @Override
    public String toString() {
        return path;
    }
}
