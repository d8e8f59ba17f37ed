package io.holdfast.manager;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Users and groups by name or number: of the files in {@code /etc}, else of whatever name service
 * the machine has, by getent(1). Blocking; called off the loop.
 */
final class Accounts {
    private static final int MAX_ENTRY = 64 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private Accounts() {}

    /**
     * An entry of the user database.
     *
     * @param name empty for a number that the database does not have
     */
    record Account(String name, long uid, long gid, String home, String shell) {
        boolean isNamed() {
            return !name.isEmpty();
        }
    }

    /**
     * @param nameOrUid a number need not be in the database
     * @throws IllegalArgumentException if there is no such user
     */
    static Account user(String nameOrUid) {
        Optional<String[]> entry = entry("passwd", nameOrUid, 7);
        if (entry.isPresent()) {
            String[] fields = entry.get();
            String shell = fields[6].isEmpty() ? "/bin/sh" : fields[6];
            return new Account(
                    fields[0],
                    Long.parseLong(fields[2]),
                    Long.parseLong(fields[3]),
                    fields[5],
                    shell);
        }
        if (isNumber(nameOrUid)) {
            long id = Long.parseLong(nameOrUid);
            return new Account("", id, id, "/", "/bin/sh");
        }
        throw new IllegalArgumentException("there is no user " + nameOrUid);
    }

    /**
     * @param nameOrGid a number need not be in the database
     * @throws IllegalArgumentException if there is no such group
     */
    static long group(String nameOrGid) {
        if (isNumber(nameOrGid)) {
            return Long.parseLong(nameOrGid);
        }
        return entry("group", nameOrGid, 3)
                .map(fields -> Long.parseLong(fields[2]))
                .orElseThrow(() -> new IllegalArgumentException("there is no group " + nameOrGid));
    }

    private static boolean isNumber(String text) {
        return !text.isEmpty()
                && text.length() <= 10
                && text.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static Optional<String[]> entry(String database, String key, int fields) {
        Optional<String[]> inFile = find(readFile(database), key, fields);
        return inFile.isPresent() ? inFile : find(ask(database, key), key, fields);
    }

    private static Optional<String[]> find(List<String> lines, String key, int fields) {
        return lines.stream()
                .map(line -> line.split(":", -1))
                .filter(parts -> parts.length >= fields)
                .filter(parts -> parts[0].equals(key) || parts[2].equals(key))
                .filter(parts -> isNumber(parts[2]))
                .findFirst();
    }

    private static List<String> readFile(String database) {
        try {
            return Files.readAllLines(Path.of("/etc", database), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return List.of(); // the name service may know all the same
        }
    }

    private static List<String> ask(String database, String key) {
        try (Child getent =
                Spawn.of("getent", database, key)
                        .stdin(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            byte[] answer = getent.stdout().readNBytes(MAX_ENTRY);
            Optional<Exit> exit = getent.await(PATIENCE);
            if (exit.isEmpty()) {
                boolean ignored = getent.signal(io.holdfast.core.linux.Signal.KILL);
            }
            return List.of(new String(answer, StandardCharsets.UTF_8).split("\n"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot ask getent for " + key, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }
}
