package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Quote;
import java.util.List;
import java.util.TreeMap;

/**
 * Folders of a unit below one root, created before its start and owned by its user.
 *
 * @param paths relative to the kind's root, sorted, each once; parents come before their children
 * @param mode of the innermost folder of each path
 */
public record ExecDirectory(Kind kind, List<Entry> paths, int mode) {
    /** The default mode of folders: all may read, their owner may write. */
    public static final int DEFAULT_MODE = 0755;

    /** The kinds of roots. */
    public enum Kind {
        RUNTIME("RUNTIME_DIRECTORY"),
        STATE("STATE_DIRECTORY"),
        CACHE("CACHE_DIRECTORY"),
        LOGS("LOGS_DIRECTORY"),
        CONFIGURATION("CONFIGURATION_DIRECTORY");

        private final String variable;

        Kind(String variable) {
            this.variable = variable;
        }

        /** {@return the environment variable that holds the service's folders, joined by colons} */
        public String variable() {
            return variable;
        }

        /** {@return the directive: {@code RuntimeDirectory}} */
        public String directive() {
            return name().charAt(0) + Scalars.word(this).substring(1) + "Directory";
        }

        /** {@return the absolute path of the root folder} */
        public String root(ManagerScope scope) {
            return switch (this) {
                case RUNTIME -> scope.runtimeDirectory();
                case STATE -> scope.stateDirectory();
                case CACHE -> scope.cacheDirectory();
                case LOGS -> scope.logsDirectory();
                case CONFIGURATION -> scope.configurationDirectory();
            };
        }
    }

    /**
     * One folder.
     *
     * @param links relative paths of symbolic links to it
     */
    public record Entry(String path, List<String> links) {
        public Entry {
            links = List.copyOf(links);
        }

        /** Parses {@code path} or {@code path:link}. */
        public static Entry parse(String text) {
            int colon = text.indexOf(':');
            String path = folder(colon < 0 ? text : text.substring(0, colon));
            return new Entry(
                    path, colon < 0 ? List.of() : List.of(folder(text.substring(colon + 1))));
        }

        private static String folder(String text) {
            String path = Scalars.parseRelativePath(text);
            if (path.equals("private") || path.startsWith("private/")) {
                throw new IllegalArgumentException(Quote.of(text) + " is below private");
            }
            return path;
        }
    }

    public ExecDirectory {
        TreeMap<String, Entry> sorted = new TreeMap<>();
        for (Entry entry : paths) {
            sorted.merge(entry.path(), entry, (a, b) -> a.links().isEmpty() ? b : a);
        }
        paths = List.copyOf(sorted.values());
    }

    /** {@return whether the folder is not below another one of this unit} */
    public boolean isOutermost(Entry entry) {
        return paths.stream().noneMatch(other -> entry.path().startsWith(other.path() + "/"));
    }
}
