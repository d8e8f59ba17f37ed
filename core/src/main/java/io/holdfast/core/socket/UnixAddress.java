package io.holdfast.core.socket;

import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.socket.UnixName;
import java.nio.file.Path;

/**
 * The address of an AF_UNIX socket (unix(7)). Addresses are bytes: in the address of a peer, bytes
 * that are not valid UTF-8 become lone surrogates, so that no byte is lost and it can be sent to.
 */
public sealed interface UnixAddress {
    /**
     * A socket in the file system.
     *
     * @param path the path, at most 108 bytes, without NUL; many programs support only 107
     */
    record PathName(String path) implements UnixAddress {
        /**
         * Checks the path.
         *
         * @throws IllegalArgumentException if it has more than 108 bytes, is empty, or contains a
         *     NUL
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
     * An abstract name, which exists as long as its socket, within the network namespace.
     *
     * @param name the name, at most 107 bytes, without the leading NUL
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

    /**
     * The address of a socket without a name; binding to it lets the kernel choose an abstract
     * name.
     */
    record Unnamed() implements UnixAddress {
        @Override
        public String toString() {
            return "(unnamed)";
        }
    }

    /**
     * {@return the address of a path}
     *
     * @param path the path
     * @throws IllegalArgumentException if it has more than 108 bytes, or is empty
     */
    static UnixAddress path(Path path) {
        return new PathName(KernelPath.text(path));
    }

    /**
     * {@return the address of an abstract name}
     *
     * @param name the name
     * @throws IllegalArgumentException if it has more than 107 bytes
     */
    static UnixAddress abstractName(String name) {
        return new AbstractName(name);
    }

    /**
     * Returns the address without a name; binding to it lets the kernel choose an abstract name.
     *
     * @return the address
     */
    static UnixAddress unnamed() {
        return new Unnamed();
    }

    /**
     * Parses {@code /path} or {@code @name}.
     *
     * @param text the text
     * @return the address
     * @throws IllegalArgumentException if a name has more than 107 bytes or a path more than 108,
     *     or a path is empty or contains a NUL
     */
    static UnixAddress parse(String text) {
        return text.startsWith("@") ? new AbstractName(text.substring(1)) : new PathName(text);
    }

    /**
     * Converts a name that the kernel returned ({@code sun_path} of unix(7)).
     *
     * @param name the name: a path, an abstract name with its leading NUL, or empty for none
     * @return the address
     */
    static UnixAddress ofKernelName(String name) {
        if (name.isEmpty()) {
            return new Unnamed();
        }
        return name.startsWith("\0") ? new AbstractName(name.substring(1)) : new PathName(name);
    }
}
