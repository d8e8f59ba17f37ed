package io.holdfast.core.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The users to whom subordinate uids are delegated, as in subuid(5). A plain user can have
 * processes with any of tens of thousands of such uids. Whoever gives each uid a share of a limit
 * has to count those of one user together. Immutable.
 */
public final class SubordinateUids {
    private static final Path SUBUID = Path.of("/etc/subuid");
    private static final Path PASSWD = Path.of("/etc/passwd");
    private static final Pattern RANGE = Pattern.compile("([^:]+):([0-9]{1,10}):([0-9]{1,10})\\s*");
    private static final Pattern USER = Pattern.compile("([^:]+):[^:]*:([0-9]{1,10}):.*");

    private record Range(long end, long owner) {}

    private final TreeMap<Long, Range> ranges = new TreeMap<>(); // by their first uid

    private SubordinateUids() {}

    /** {@return no subordinate uids} */
    public static SubordinateUids none() {
        return new SubordinateUids();
    }

    /** {@return the subordinate uids of the running system, as they are now} */
    public static SubordinateUids ofSystem() {
        return of(SUBUID, PASSWD);
    }

    /**
     * Reads the delegated ranges. A file that cannot be read has none, and so has a line that is
     * malformed.
     *
     * @param subuid the file of ranges, as in subuid(5)
     * @param passwd the file of users, as in passwd(5)
     * @return the subordinate uids
     */
    public static SubordinateUids of(Path subuid, Path passwd) {
        Map<String, Long> owners = new HashMap<>();
        for (String line : lines(passwd)) {
            Matcher user = USER.matcher(line);
            if (user.matches() && Long.parseLong(user.group(2)) != 0) {
                owners.put(user.group(1), Long.valueOf(user.group(2)));
            }
        }
        SubordinateUids all = new SubordinateUids();
        for (String line : lines(subuid)) {
            Matcher range = RANGE.matcher(line);
            if (range.matches()) {
                long first = Long.parseLong(range.group(2));
                // A container of root is not root: it counts as the first uid of its ranges.
                long owner = owners.computeIfAbsent(range.group(1), name -> number(name, first));
                all.ranges.put(first, new Range(first + Long.parseLong(range.group(3)), owner));
            }
        }
        return all;
    }

    private static long number(String owner, long otherwise) {
        boolean isUid = owner.matches("[1-9][0-9]{0,9}");
        return isUid ? Long.parseLong(owner) : otherwise;
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1).lines().toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    /**
     * {@return the user to whom a uid is delegated; the uid itself if it is not delegated} For
     * ranges of root, and of users whom the file of users does not have, it is the first uid of
     * their first range.
     */
    public long ownerOf(long uid) {
        var below = ranges.floorEntry(uid);
        return below != null && uid < below.getValue().end ? below.getValue().owner : uid;
    }
}
