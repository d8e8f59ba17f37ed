package io.holdfast.core.socket;

import io.holdfast.core.sys.socket.UnixName;
import java.nio.file.Path;

/**
 * The address of an AF_UNIX socket (unix(7)). Addresses are bytes: one of a peer that is no UTF-8
 * keeps its bytes as lone surrogates, so that it stays itself and can be sent to.
 */
public sealed interface UnixAddress {
    /**
     * A socket in the file system.
     *
     * @param path at most 107 bytes, without NUL
     */
    record PathName(String path) implements UnixAddress {
        /**
         * Checks the path.
         *
         * @throws IllegalArgumentException if it has more than 107 bytes, or none, or a NUL in it
         */
        public PathName {
            if (path.isEmpty()) {
                throw new IllegalArgumentException("an empty socket path");
            }
            var _ = UnixName.of(path);
        }

        @Override
        public String toString() {
            return path;
        }
    }

    /**
     * A name that lives with its socket, in the network namespace.
     *
     * @param name at most 107 bytes, without the leading NUL
     */
    record AbstractName(String name) implements UnixAddress {
        /**
         * Checks the name.
         *
         * @throws IllegalArgumentException if it has more than 107 bytes
         */
        public AbstractName {
            var _ = UnixName.of("\0" + name);
        }

        @Override
        public String toString() {
            return "@" + name.replace('\0', '@');
        }
    }

    /** A socket without a name; to bind to it lets the kernel choose an abstract one. */
    record Unnamed() implements UnixAddress {
        @Override
        public String toString() {
            return "(unnamed)";
        }
    }

    /**
     * {@return a path}
     *
     * @param path the path
     * @throws IllegalArgumentException if it has more than 107 bytes, or none
     */
    static UnixAddress path(Path path) {
        return new PathName(path.toString());
    }

    /**
     * {@return an abstract name}
     *
     * @param name the name
     * @throws IllegalArgumentException if it has more than 107 bytes
     */
    static UnixAddress abstractName(String name) {
        return new AbstractName(name);
    }

    /**
     * No name; to bind to it lets the kernel choose an abstract one.
     *
     * @return the address
     */
    static UnixAddress unnamed() {
        return new Unnamed();
    }

    /**
     * Reads {@code /path} or {@code @name}.
     *
     * @param text the text
     * @return the address
     * @throws IllegalArgumentException if it has more than 107 bytes, or a path is empty or holds a
     *     NUL
     */
    static UnixAddress parse(String text) {
        return text.startsWith("@") ? new AbstractName(text.substring(1)) : new PathName(text);
    }

    /**
     * For the calls of {@code SysSocket}.
     *
     * @param address the address
     * @return the name
     */
    static UnixName name(UnixAddress address) {
        return switch (address) {
            case PathName(String path) -> UnixName.of(path);
            case AbstractName(String name) -> UnixName.of("\0" + name);
            case Unnamed _ -> UnixName.of(new byte[0]);
        };
    }

    /**
     * What the kernel gave.
     *
     * @param name the name
     * @return the address
     */
    static UnixAddress of(UnixName name) {
        String text = name.text();
        if (text.isEmpty()) {
            return new Unnamed();
        }
        return text.startsWith("\0") ? new AbstractName(text.substring(1)) : new PathName(text);
    }
}
