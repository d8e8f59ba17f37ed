package io.holdfast.interop.container;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A server of the distribution.
 *
 * @param unit the name of its unit; a {@code *} stands for its version, that of the unit's file or,
 *     for an instance, of its folder in {@code /usr/lib}
 * @param client a script of bash(1) that succeeds if the server answers
 * @param answer a part of what the client writes
 * @param preparation a script that is run before the first start
 */
record Server(String unit, String client, String answer, String preparation) {
    private static final String UNITS = "usr/lib/systemd/system";

    /** Whether all servers are started, or only some of each setting. */
    static final boolean ALL = Boolean.getBoolean("holdfast.long");

    /** Returns the servers of a list with these units; all of them in a long run. */
    static List<Server> of(String list, Set<String> units) throws IOException {
        List<Server> servers = new ArrayList<>();
        try (InputStream in = Server.class.getResourceAsStream(list)) {
            String text = new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
            for (String line : text.lines().filter(each -> !each.startsWith("#")).toList()) {
                String[] fields = (line + " ~ ~ ~ ").split("~", -1);
                if (ALL || units.contains(fields[0].strip())) {
                    servers.add(
                            new Server(
                                    fields[0].strip(),
                                    fields[1].strip(),
                                    fields[2].strip(),
                                    fields[3].strip()));
                }
            }
        }
        return servers;
    }

    /** Returns the name of the unit on this machine; empty if its package is not installed. */
    Optional<String> installed() throws IOException {
        return installed(Path.of("/"));
    }

    /** Returns the name of the unit among the files below a root; empty if it is not there. */
    Optional<String> installed(Path root) throws IOException {
        Path units = root.resolve(UNITS);
        if (!unit.contains("*")) {
            boolean isThere =
                    Files.exists(units.resolve(unit.replaceFirst("@.*\\.", "@.")))
                            || Files.exists(units.resolve(unit));
            return isThere ? Optional.of(unit) : Optional.empty();
        }
        int at = unit.indexOf('@');
        if (at < 0) {
            return newest(units, unit);
        }
        Path versions = root.resolve("usr/lib").resolve(unit.substring(0, at));
        return Files.isDirectory(versions)
                ? newest(versions, "*").map(version -> unit.replace("*", version))
                : Optional.empty();
    }

    private static Optional<String> newest(Path folder, String pattern) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, pattern)) {
            found.forEach(file -> names.add(file.getFileName().toString()));
        }
        return names.stream().max(Comparator.naturalOrder());
    }

    @Override
    public String toString() {
        return unit;
    }
}
