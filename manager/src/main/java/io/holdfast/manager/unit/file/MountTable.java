package io.holdfast.manager.unit.file;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.KernelFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The mounts of this process's mount namespace, by mount point, as they were when they were read.
 * Of several mounts on one point, only the upper one is in it.
 *
 * @see <a href="https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html">mountinfo</a>
 */
public record MountTable(Map<String, Mounted> mounts) {
    /** The kernel's file; a poll of it reports a change as an error. */
    public static final String FILE = "/proc/self/mountinfo";

    /** No mounts. */
    public static final MountTable EMPTY = new MountTable(Map.of());

    /** Points where something is mounted on access, which count as not mounted until then. */
    private static final String AUTOFS = "autofs";

    private static final int PATH = 4;
    private static final int OPTIONS = 5;
    private static final int OPTIONAL = 6; // any number of fields, which a dash ends
    private static final int OCTAL = 8;
    private static final Pattern ESCAPED = Pattern.compile("\\\\([0-7]{3})");

    /**
     * One mount.
     *
     * @param source as mount(2) received it: a device, or a word
     * @param options of the mount point and of the file system, separated by commas
     */
    public record Mounted(String source, String type, String options) {}

    public MountTable {
        mounts = Map.copyOf(mounts);
    }

    /** Reads the mounts; none if they cannot be read. Blocking. */
    public static MountTable read() {
        try {
            return readWhole();
        } catch (ErrnoException e) {
            return EMPTY;
        }
    }

    /**
     * Reads the mounts. Blocking.
     *
     * @throws ErrnoException EMFILE or ENOMEM: then nothing is known, and nothing is unmounted
     */
    public static MountTable readWhole() {
        return parse(KernelFile.text(null, FILE));
    }

    static MountTable parse(String text) {
        Map<String, Mounted> mounts = new HashMap<>();
        forEach(
                text,
                (path, mounted) -> {
                    if (!mounted.type().equals(AUTOFS)) {
                        mounts.put(path, mounted);
                    }
                });
        return new MountTable(mounts);
    }

    /**
     * Returns all mount points, and those where something is mounted on access. Blocking.
     *
     * @throws ErrnoException EMFILE or ENOMEM
     */
    public static Set<String> points() {
        return points(KernelFile.text(null, FILE));
    }

    static Set<String> points(String text) {
        Set<String> points = new HashSet<>();
        forEach(text, (path, _) -> points.add(path));
        return points;
    }

    /** Returns the sources of the automount points on a path, the lowest one first. Blocking. */
    public static List<String> automounts(String where) {
        return automounts(KernelFile.text(null, FILE), where);
    }

    static List<String> automounts(String text, String where) {
        List<String> sources = new ArrayList<>();
        forEach(
                text,
                (path, mounted) -> {
                    if (mounted.type().equals(AUTOFS) && path.equals(where)) {
                        sources.add(mounted.source());
                    }
                });
        return sources;
    }

    private static void forEach(String text, BiConsumer<String, Mounted> found) {
        for (String line : text.split("\n")) {
            String[] columns = line.split(" ");
            int dash = OPTIONAL;
            while (dash < columns.length && !columns[dash].equals("-")) {
                dash++;
            }
            if (columns.length > dash + 2) {
                String ofFileSystem = columns.length > dash + 3 ? "," + columns[dash + 3] : "";
                found.accept(
                        plain(columns[PATH]),
                        new Mounted(
                                plain(columns[dash + 2]),
                                columns[dash + 1],
                                columns[OPTIONS] + ofFileSystem));
            }
        }
    }

    /** Returns what is mounted on a path. */
    public Optional<Mounted> at(String path) {
        return Optional.ofNullable(mounts.get(path));
    }

    /** Decodes a path: blanks, line ends and backslashes are written in octal. */
    static String plain(String path) {
        return path.indexOf('\\') < 0
                ? path
                : ESCAPED.matcher(path)
                        .replaceAll(found ->
                                Matcher.quoteReplacement(
                                        String.valueOf(
                                                (char) Integer.parseInt(found.group(1), OCTAL))));
    }
}
