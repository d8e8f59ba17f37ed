package io.holdfast.manager.unit.file;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelFile;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the current mount points. Blocking.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html">mountinfo</a>
 */
public final class MountedPaths {
    private static final String FILE = "/proc/self/mountinfo";
    private static final int PATH = 4;
    private static final int OCTAL = 8;
    private static final Pattern ESCAPED = Pattern.compile("\\\\([0-7]{3})");

    private MountedPaths() {}

    /** Returns the mount points; none if they cannot be read. */
    public static Set<String> read() {
        try {
            return parse(KernelFile.text(null, FILE));
        } catch (ErrnoException e) {
            return Set.of();
        }
    }

    static Set<String> parse(String table) {
        Set<String> mounted = new HashSet<>();
        for (String line : table.split("\n")) {
            String[] columns = line.split(" ", PATH + 2);
            if (columns.length > PATH) {
                mounted.add(plain(columns[PATH]));
            }
        }
        return mounted;
    }

    /** Decodes a path: blanks, line ends and backslashes are written in octal. */
    private static String plain(String path) {
        return ESCAPED.matcher(path)
                .replaceAll(found ->
                        Matcher.quoteReplacement(
                                String.valueOf((char) Integer.parseInt(found.group(1), OCTAL))));
    }
}
