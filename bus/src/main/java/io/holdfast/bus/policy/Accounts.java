package io.holdfast.bus.policy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** Numbers for the names of users and groups in policies. */
public interface Accounts {
    /** The number of a user, from its name or digits; empty if there is none of that name. */
    OptionalLong uid(String user);

    /** The number of a group, from its name or digits; empty if there is none of that name. */
    OptionalLong gid(String group);

    /** Those that {@code /etc/passwd} and {@code /etc/group} list now. */
    static Accounts ofMachine() {
        return of(Path.of("/etc/passwd"), Path.of("/etc/group"));
    }

    /**
     * Those of two files, read once.
     *
     * @param passwd as passwd(5); no users if it cannot be read
     * @param group as group(5)
     */
    static Accounts of(Path passwd, Path group) {
        record Listed(List<String> users, List<String> groups) implements Accounts {
            @Override
            public OptionalLong uid(String user) {
                return find(users, user);
            }

            @Override
            public OptionalLong gid(String name) {
                return find(groups, name);
            }

            private static OptionalLong find(List<String> lines, String name) {
                if (name.matches("[0-9]{1,10}")) {
                    return OptionalLong.of(Long.parseLong(name));
                }
                for (String line : lines) {
                    String[] fields = line.split(":", -1);
                    if (fields.length > 2
                            && fields[0].equals(name)
                            && fields[2].matches("[0-9]{1,10}")) {
                        return OptionalLong.of(Long.parseLong(fields[2]));
                    }
                }
                return OptionalLong.empty();
            }

            private static List<String> lines(Path file) {
                try {
                    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8)
                            .lines()
                            .toList();
                } catch (IOException _) {
                    return List.of();
                }
            }
        }
        return new Listed(Listed.lines(passwd), Listed.lines(group));
    }
}
