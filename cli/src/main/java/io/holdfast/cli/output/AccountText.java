package io.holdfast.cli.output;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Formats users and groups for people, with their names in {@code /etc/passwd} and {@code
 * /etc/group}. Other sources of accounts (nsswitch.conf(5)) are not used, because they may block,
 * and the names are only shown.
 */
public final class AccountText {
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final Path GROUP = Path.of("/etc/group");

    private AccountText() {}

    /** Returns {@code redis (102)}, or the UID alone if the file does not contain it. */
    public static String user(long uid) {
        return named(PASSWD, uid);
    }

    public static String group(long gid) {
        return named(GROUP, gid);
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
