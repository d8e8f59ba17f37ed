package io.holdfast.manager.unit.value;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * The groups of system calls that systemd.exec(5) documents, and the names of all system calls that
 * unit files may contain. Read at the first use.
 */
public final class SystemCallGroups {
    private static final String FILE = "system-call-groups.txt";
    private static final String KNOWN = "@known";

    /** The groups as written: names, and other groups. */
    private static final Map<String, List<String>> GROUPS = read();

    /** A group may have calls that no kernel has any more, and are not among the known ones. */
    private static final Set<String> NAMES = names();

    private static Set<String> names() {
        Set<String> names = new TreeSet<>();
        GROUPS.keySet().forEach(group -> add(group, names));
        return names;
    }

    private SystemCallGroups() {}

    /** Returns whether a word is the name of a system call or of a group. */
    public static boolean isKnown(String word) {
        return NAMES.contains(word) || GROUPS.containsKey(word);
    }

    /** {@return the names of all system calls and groups} */
    static Set<String> words() {
        Set<String> words = new TreeSet<>(NAMES);
        words.addAll(GROUPS.keySet());
        return words;
    }

    /** {@return the names of the calls that a kernel has, of any architecture} */
    public static Set<String> ofKernels() {
        Set<String> names = new TreeSet<>(Objects.requireNonNull(GROUPS.get(KNOWN)));
        names.removeIf(GROUPS::containsKey); // calls that no kernel has any more
        return names;
    }

    /** {@return the names of system calls that a known word stands for} */
    public static Set<String> expanded(String word) {
        Set<String> names = new TreeSet<>();
        add(word, names);
        return names;
    }

    private static void add(String word, Set<String> names) {
        List<String> group = GROUPS.get(word);
        if (group == null) {
            names.add(word);
        } else {
            group.forEach(each -> add(each, names));
        }
    }

    private static Map<String, List<String>> read() {
        Map<String, List<String>> groups = new HashMap<>();
        String text;
        try (InputStream in =
                Objects.requireNonNull(SystemCallGroups.class.getResourceAsStream(FILE), FILE)) {
            text = new String(in.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(FILE, e);
        }
        text.replaceAll("(?m)^#.*\n", "")
                .replace("\n    ", " ")
                .lines()
                .forEach(line -> {
                    int colon = line.indexOf(": ");
                    groups.put(
                            line.substring(0, colon),
                            List.of(line.substring(colon + 2).split(" ")));
                });
        return groups;
    }
}
