package io.holdfast.manager.unit.value;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Shell wildcards: {@code *}, {@code ?}, {@code [a-z]}, {@code [!a-z]}, and a backslash that takes
 * the next character literally. (No braces.)
 */
public final class Glob {
    private Glob() {}

    /**
     * Returns whether the whole text matches, in at most as many steps as the product of both
     * lengths.
     */
    public static boolean matches(String pattern, String text) {
        int p = 0;
        int t = 0;
        int starPattern = -1;
        int starText = 0;
        while (t < text.length()) {
            int next = p < pattern.length() ? matchOne(pattern, p, text.charAt(t)) : -1;
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                starPattern = ++p;
                starText = t;
            } else if (next >= 0) {
                p = next;
                t++;
            } else if (starPattern >= 0) {
                p = starPattern;
                t = ++starText;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    /**
     * Returns the position after the pattern's element at {@code p} if that matches the character,
     * else -1.
     */
    private static int matchOne(String pattern, int p, char c) {
        return switch (pattern.charAt(p)) {
            case '?' -> p + 1;
            case '[' -> matchSet(pattern, p, c);
            case '\\' -> p + 1 < pattern.length() && pattern.charAt(p + 1) == c ? p + 2 : -1;
            default -> pattern.charAt(p) == c ? p + 1 : -1;
        };
    }

    private static int matchSet(String pattern, int p, char c) {
        int i = p + 1;
        boolean not = i < pattern.length() && "!^".indexOf(pattern.charAt(i)) >= 0;
        if (not) {
            i++;
        }
        boolean in = false;
        for (int first = i; i < pattern.length(); i++) {
            char low = pattern.charAt(i);
            if (low == ']' && i > first) {
                return in != not ? i + 1 : -1;
            }
            boolean range =
                    i + 2 < pattern.length()
                            && pattern.charAt(i + 1) == '-'
                            && pattern.charAt(i + 2) != ']';
            char high = range ? pattern.charAt(i + 2) : low;
            in |= c >= low && c <= high;
            i += range ? 2 : 0;
        }
        return c == '[' ? p + 1 : -1; // not closed: a plain bracket
    }

    /**
     * Returns the patterns that braces stand for: {@code a{b,c}} is {@code ab} and {@code ac}.
     * Braces may be nested; those without a partner are plain characters.
     *
     * @throws IOException if there are more than {@code limit}
     */
    public static List<String> alternatives(String pattern, int limit) throws IOException {
        int open = pattern.indexOf('{');
        int close = open < 0 ? -1 : closing(pattern, open);
        if (close < 0) {
            return List.of(pattern);
        }
        List<String> found = new ArrayList<>();
        int start = open + 1;
        int depth = 0;
        for (int i = start; i <= close; i++) {
            char c = pattern.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (i == close || (depth == 0 && c == ',')) {
                String one = pattern.substring(start, i);
                String rest = pattern.substring(close + 1);
                found.addAll(alternatives(pattern.substring(0, open) + one + rest, limit));
                start = i + 1;
            }
            if (found.size() > limit) {
                throw new IOException(pattern + " stands for more than " + limit + " patterns");
            }
        }
        return found;
    }

    private static int closing(String pattern, int open) {
        int depth = 0;
        for (int i = open; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Returns the existing paths that match, sorted.
     *
     * @param pattern absolute; a leading dot is matched only by a dot
     * @throws IOException if there are more than {@code limit}
     */
    public static List<Path> expand(String pattern, int limit) throws IOException {
        List<Path> found = List.of(Path.of("/"));
        for (String part : pattern.split("/")) {
            if (part.isEmpty()) {
                continue;
            }
            List<Path> next = new ArrayList<>();
            for (Path directory : found) {
                if (hasWildcard(part)) {
                    addMatches(directory, part, next, limit);
                } else {
                    addIfThere(directory, part, next);
                }
                if (next.size() > limit) {
                    throw new IOException(pattern + " matches more than " + limit + " paths");
                }
            }
            found = next;
        }
        return found.stream().sorted().toList();
    }

    private static boolean hasWildcard(String part) {
        return part.chars().anyMatch(c -> "*?[\\".indexOf(c) >= 0);
    }

    private static void addIfThere(Path directory, String name, List<Path> to) {
        try {
            Path path = directory.resolve(name);
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                to.add(path);
            }
        } catch (InvalidPathException e) {
            // no such file can exist
        }
    }

    /** Adds the entries that match, and stops once there are too many. */
    private static void addMatches(Path directory, String part, List<Path> to, int limit) {
        if (!Files.isDirectory(directory)) {
            return;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (name.startsWith(".") == part.startsWith(".") && matches(part, name)) {
                    to.add(entry);
                }
                if (to.size() > limit) {
                    return;
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // as in the shell: a folder that cannot be read matches nothing
        }
    }
}
