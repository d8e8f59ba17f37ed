package io.holdfast.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Names of users and groups, from {@code /etc/passwd} and {@code /etc/group}, for people. */
final class Accounts {
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final Path GROUP = Path.of("/etc/group");

    /** A line of {@code passwd(5)}. */
    record User(String name, long uid, long gid) {}

    private Accounts() {}

    /** {@code redis (102)}, or the number alone where nobody is known by it. */
    static String user(long uid) {
        return named(PASSWD, uid);
    }

    static String group(long gid) {
        return named(GROUP, gid);
    }

    /** A user by name or number, if it is listed. */
    static Optional<User> find(String nameOrUid) {
        for (String line : lines(PASSWD)) {
            String[] fields = line.split(":", -1);
            if (fields.length >= 4
                    && (fields[0].equals(nameOrUid) || fields[2].equals(nameOrUid))) {
                try {
                    long uid = Long.parseLong(fields[2]);
                    return Optional.of(new User(fields[0], uid, Long.parseLong(fields[3])));
                } catch (NumberFormatException _) {
                    // a broken line names nobody
                }
            }
        }
        return Optional.empty();
    }

    private static String named(Path file, long id) {
        String number = Long.toString(id);
        for (String line : lines(file)) {
            // NAME:x:ID:…
            int name = line.indexOf(':');
            int from = line.indexOf(':', name + 1) + 1;
            if (from > 0 && line.startsWith(number + ":", from)) {
                return line.substring(0, name) + " (" + number + ")";
            }
        }
        return number;
    }

    private static String[] lines(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n");
        } catch (IOException e) {
            return new String[0];
        }
    }
}
