package io.holdfast.varlink;

import io.holdfast.core.socket.UnixAddress;
import java.nio.file.Path;

/** The address of a service. */
public sealed interface VarlinkAddress {
    /**
     * A listening socket: {@code unix:/path}, {@code /path} or {@code unix:@abstract}.
     *
     * @param address the address
     */
    record Unix(UnixAddress address) implements VarlinkAddress {
        /** Returns the address in a form that {@link #parse} accepts. */
        @Override
        public String toString() {
            return address instanceof UnixAddress.AbstractName
                    ? "unix:" + address
                    : address.toString();
        }
    }

    /**
     * {@code exec:/path}: a program that is started for the connection and receives it as
     * descriptor 3, as systemd passes sockets ({@code sd_listen_fds(3)}).
     *
     * @param program the path of the program
     */
    record Exec(Path program) implements VarlinkAddress {
        @Override
        public String toString() {
            return "exec:" + program;
        }
    }

    /**
     * Parses an address.
     *
     * @param text the address
     * @return the address
     * @throws IllegalArgumentException if the address has none of the forms above; parameters
     *     ({@code ;}, {@code ?}, {@code #}) are not supported
     */
    static VarlinkAddress parse(String text) {
        if (text.startsWith("/")) {
            return new Unix(UnixAddress.path(path(text, text)));
        }
        if (text.startsWith("unix:@") && text.length() > "unix:@".length()) {
            return new Unix(UnixAddress.abstractName(plain(text, text.substring(6))));
        }
        if (text.startsWith("unix:/")) {
            return new Unix(UnixAddress.path(path(text, text.substring(5))));
        }
        if (text.startsWith("exec:/")) {
            return new Exec(path(text, text.substring(5)));
        }
        throw new IllegalArgumentException(
                "not a Varlink address: \"%s\"; expected /PATH, unix:/PATH, unix:@NAME, exec:/PATH"
                        .formatted(text));
    }

    private static Path path(String address, String text) {
        return Path.of(plain(address, text));
    }

    private static String plain(String address, String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == ';' || c == '?' || c == '#' || c == 0) {
                throw new IllegalArgumentException(
                        "a Varlink address has no parameters: \"%s\"".formatted(address));
            }
        }
        return text;
    }
}
