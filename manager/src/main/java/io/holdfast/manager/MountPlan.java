package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysMount;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.MountTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What is to be mounted for a command, by path: symbolic links are resolved outside, what is above
 * comes first, and of several wishes for one path the most explicit, then the strictest is taken.
 */
final class MountPlan {
    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;

    /**
     * What is there already may be of the unit's user: nobody waits at a FIFO for him. Not to
     * write: a child that is being spawned beside has the descriptor until it executes, and a mount
     * with a writer cannot be made read-only.
     */
    private static final int PLACE =
            Fcntl.O_RDONLY | Fcntl.O_CREAT | Fcntl.O_NOFOLLOW | Fcntl.O_NONBLOCK;

    private static final String ROOT = "/";

    /** From the one that yields to the one that wins. */
    enum Kind {
        /** As it is outside, although what is above is not. */
        KEPT,
        /** Read-only, with all else of its kind. */
        PROTECTED,
        /** As it is outside, because the unit says so. */
        READ_WRITE,
        /** Read-only, because the unit says so. */
        READ_ONLY,
        /** A folder of the unit's own, in which at first there is nothing of what is outside. */
        REPLACED,
        /** What is elsewhere outside. */
        BOUND,
        INACCESSIBLE;

        private boolean isReadOnly() {
            return this == PROTECTED || this == READ_ONLY || this == INACCESSIBLE;
        }
    }

    private record Entry(Kind kind, MountTree tree, long attributes, boolean isFolder) {}

    private final SortedMap<String, Entry> entries = new TreeMap<>();

    /** A rule for a path, if that path is there. */
    void add(Kind kind, String path) throws SetupException {
        Optional<Path> real = find(path);
        if (real.isPresent()) {
            add(kind, real.get(), MountTree.at(real.get().toString()));
        }
    }

    /**
     * A rule for a path, which must be there.
     *
     * @param directive of the unit, for the message
     */
    void require(Kind kind, String path, String directive) throws SetupException {
        Path real = real(path, directive);
        add(kind, real, MountTree.at(real.toString()));
    }

    /** Another tree for a path that is there. */
    void add(Kind kind, Path real, MountTree tree) throws SetupException {
        put(real.toString(), new Entry(kind, tree, 0, Files.isDirectory(real)));
    }

    /**
     * A tree that replaces a folder.
     *
     * @param path of which only what is above need be there
     * @param attributes a sum of the constants of {@link SysMount}
     */
    void replace(String path, MountTree tree, long attributes) throws SetupException {
        String at = resolve(Path.of(path)).toString();
        target(at, true);
        put(at, new Entry(Kind.REPLACED, tree, attributes, true));
    }

    /** What is elsewhere for a path of which only what is above need be there. */
    void bind(Path source, String path, long attributes, boolean recursive) throws SetupException {
        boolean isFolder = Files.isDirectory(source);
        String at = resolve(Path.of(path)).toString();
        target(at, isFolder);
        String from = source.toString();
        MountTree tree = recursive ? MountTree.at(from) : MountTree.only(from);
        put(at, new Entry(Kind.BOUND, tree, attributes, isFolder));
    }

    /** A file that is to be seen although a folder above it is replaced. */
    void keep(String path) throws SetupException {
        Optional<Path> real = find(path);
        if (real.isPresent() && replacedAbove(real.get().toString()).isPresent()) {
            bind(real.get(), real.get().toString(), 0, false);
        }
    }

    private void put(String path, Entry entry) throws SetupException {
        if (path.equals(ROOT) && entry.kind.compareTo(Kind.REPLACED) >= 0) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE,
                    "the root itself can be neither hidden nor replaced");
        }
        Entry before = entries.get(path);
        if (before == null || before.kind.compareTo(entry.kind) < 0) {
            entries.put(path, entry);
        }
    }

    private void target(String path, boolean isFolder) throws SetupException {
        if (replacedAbove(path).isEmpty()) {
            makeTarget(Path.of(path), isFolder);
        }
    }

    private static Optional<Path> find(String path) {
        try {
            return Optional.of(Path.of(path).toRealPath());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** A path without symbolic links, which must be there. */
    static Path real(String path, String directive) throws SetupException {
        try {
            return Path.of(path).toRealPath();
        } catch (IOException e) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE,
                    directive
                            + "=: "
                            + path
                            + " is missing, or cannot be reached; - before it"
                            + " allows that");
        }
    }

    /** Symbolic links of as much of the path as there is. */
    static Path resolve(Path path) {
        Path parent = path.getParent();
        Path name = path.getFileName();
        if (parent == null || name == null) {
            return path;
        }
        try {
            return path.toRealPath();
        } catch (IOException e) {
            return resolve(parent).resolve(name.toString());
        }
    }

    private static void makeTarget(Path path, boolean isFolder) throws SetupException {
        try {
            if (Files.exists(path)) {
                return;
            }
            Path parent = path.getParent();
            Path folder = isFolder || parent == null ? path : parent;
            Path ignored = Files.createDirectories(folder);
            if (!isFolder) {
                Path _ = Files.createFile(path);
            }
        } catch (IOException e) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE, "cannot make " + path + " to mount on: " + e);
        }
    }

    private Optional<String> replacedAbove(String path) {
        return entries.entrySet().stream()
                .filter(entry -> entry.getValue().kind == Kind.REPLACED)
                .map(Map.Entry::getKey)
                .filter(above -> isBelow(path, above))
                .reduce((_, lower) -> lower);
    }

    private static boolean isBelow(String path, String above) {
        return path.startsWith(above.endsWith("/") ? above : above + "/") && !path.equals(above);
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    /** Adds all of it, from above to below. */
    void addTo(Isolation isolation) {
        List<String> hidden = new ArrayList<>();
        entries.forEach((path, entry) -> {
            if (isCovered(path, entry) || hidden.stream().anyMatch(above -> isBelow(path, above))) {
                return;
            }
            if (entry.kind == Kind.INACCESSIBLE) {
                hidden.add(path);
            }
            if (!path.equals(ROOT)) {
                isolation.mount(finished(path, entry), path);
            } else if (entry.kind.isReadOnly()) { // nobody would see what covers the root
                isolation.readOnly(ROOT);
            }
        });
    }

    /** Whether it is a rule for what is not there, since a folder above is replaced. */
    private boolean isCovered(String path, Entry entry) {
        boolean yields = entry.kind == Kind.KEPT || entry.kind == Kind.PROTECTED;
        return yields && replacedAbove(path).isPresent();
    }

    /** With places for what is mounted below in what replaces a folder. */
    private MountTree finished(String path, Entry entry) {
        MountTree tree = entry.tree;
        if (entry.kind == Kind.REPLACED) {
            List<String> below = new ArrayList<>(entries.tailMap(path).keySet());
            below.removeIf(other -> !replacedAbove(other).equals(Optional.of(path)));
            tree = tree.filledBy(top -> below.forEach(other -> target(top, path, other)));
        }
        long attributes = entry.attributes | (entry.kind.isReadOnly() ? SysMount.READ_ONLY : 0);
        return attributes == 0 ? tree : tree.with(attributes);
    }

    private void target(Fd top, String path, String other) {
        Entry inner = entries.get(other);
        if (inner != null && !isCovered(other, inner)) {
            String relative = other.substring(path.endsWith("/") ? 1 : path.length() + 1);
            target(top, relative, inner.isFolder, other);
        }
    }

    private static void target(Fd top, String path, boolean isFolder, String shown) {
        int slash = path.indexOf('/');
        String name = slash < 0 ? path : path.substring(0, slash);
        if (slash < 0 && !isFolder) {
            Fcntl.open(top, name, PLACE, 0644).close();
            return;
        }
        int r = SysStat.mkdirat(top, name, 0755);
        if (r < 0 && r != -Errno.EEXIST) {
            throw new ErrnoException("mkdirat", shown, -r);
        }
        if (r == 0) {
            int ignored = SysStat.fchmodat(top, name, 0755);
        }
        if (slash >= 0) {
            try (Fd inner = Fcntl.open(top, name, FOLDER, 0)) {
                target(inner, path.substring(slash + 1), isFolder, shown);
            }
        }
    }
}
