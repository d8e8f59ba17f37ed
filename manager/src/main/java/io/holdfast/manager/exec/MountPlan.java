package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.Links;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.HeldPath;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.sys.SysMount;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.settings.SandboxSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The mounts of a command, by path. Symbolic links are resolved outside of the sandbox, and upper
 * mounts come first. If several rules have one path, the most explicit one wins, then the
 * strictest; what the unit declares as read-only also is so if it is replaced or bound.
 *
 * <p>The root of the view is that of the machine, or a folder ({@code RootDirectory=}). Paths are
 * those in the view; in a folder, links are followed as seen there.
 */
final class MountPlan {
    private static final int FOLDER_MODE = 0755;

    /**
     * A file to mount on. It is not opened for writing: a child that is being spawned at the same
     * time has the descriptor until it executes, and a mount with a writer cannot be made
     * read-only.
     */
    private static final OpenHow PLACE = OpenHow.reading().creating(0644).links(Links.REFUSED);

    private static final String ROOT = "/";

    /** The kinds of rules, from the weakest to the strongest. */
    enum Kind {
        /** As the folder above it, but for the execution of programs. */
        INHERITED,
        /** The mount of the host, unchanged, although a folder above it is changed. */
        KEPT,
        /** Read-only, by a directive that protects many paths. */
        PROTECTED,
        /** The mount of the host, because the unit names it. */
        READ_WRITE,
        /** Read-only, because the unit names it. */
        READ_ONLY,
        /** Replaced by another mount of the same file system, with its own options. */
        RENEWED,
        /** Replaced by a folder of the unit's own, which at first has nothing of the outside. */
        REPLACED,
        /** Another path of the outside. */
        BOUND,
        INACCESSIBLE;

        private boolean isReadOnly() {
            return this == PROTECTED || this == READ_ONLY || this == INACCESSIBLE;
        }
    }

    /** The folders of a root of its own that show the machine's. */
    private static final List<String> KERNEL = List.of("/proc", "/sys", "/dev");

    /**
     * A mount that is made by the process itself.
     *
     * @param path in the view
     */
    record Late(MountTree tree, String path) {}

    private record Entry(Kind kind, MountTree tree, long attributes, boolean isFolder) {
        private Entry readOnly() {
            return new Entry(kind, tree, attributes | SysMount.READ_ONLY, isFolder);
        }
    }

    private final Optional<SandboxSettings.Root> root;
    private final SortedMap<String, Entry> entries = new TreeMap<>();

    /** Folders that are renewed with a part of their files only. */
    private final Set<String> partial = new TreeSet<>();

    /** Whether programs at and below a path can be executed, where a rule says so. */
    private final SortedMap<String, Boolean> execution = new TreeMap<>();

    MountPlan(Optional<SandboxSettings.Root> root) {
        this.root = root;
    }

    /** Returns the path of the root of the view on the machine; "" if it is that of the machine. */
    private String top() {
        return root.map(SandboxSettings.Root::path).orElse("");
    }

    /** Mounts the machine's {@code /proc}, {@code /sys} and {@code /dev} in a root of its own. */
    void addKernel() throws SetupException {
        for (String path : KERNEL) {
            Optional<Real> real = ofMachine(path);
            if (real.isPresent()) {
                target(path, true);
                put(path, new Entry(Kind.INHERITED, MountTree.at(path), 0, true));
            }
        }
    }

    /** Adds a rule for a path, if the path exists. */
    void add(Kind kind, String path) throws SetupException {
        Optional<Real> real = find(path);
        if (real.isPresent()) {
            add(kind, real.get(), MountTree.at(real.get().source()));
        }
    }

    /**
     * Adds a rule for a path that must exist.
     *
     * @param directive of the unit, for the message
     */
    void require(Kind kind, String path, String directive) throws SetupException {
        Real real = real(path, directive);
        add(kind, real, MountTree.at(real.source()));
    }

    /** Mounts another tree on a path that exists. */
    void add(Kind kind, Real real, MountTree tree) throws SetupException {
        put(real.path(), new Entry(kind, tree, 0, real.isFolder()));
    }

    /**
     * Replaces a folder by a tree.
     *
     * @param path only its parent folders have to exist
     * @param attributes a sum of the constants of {@link SysMount}
     */
    void replace(String path, MountTree tree, long attributes) throws SetupException {
        String at = resolve(path);
        target(at, true);
        put(at, new Entry(Kind.REPLACED, tree, attributes, true));
    }

    /** Binds another path to a path of which only the parent folders have to exist. */
    void bind(Real source, String path, long attributes, boolean recursive) throws SetupException {
        String at = resolve(path);
        target(at, source.isFolder());
        String from = source.source();
        MountTree tree = recursive ? MountTree.at(from) : MountTree.only(from);
        put(at, new Entry(Kind.BOUND, tree, attributes, source.isFolder()));
    }

    /**
     * Replaces a folder by a mount of the same file system, in which the rules for paths below it
     * still apply.
     *
     * @param isPartial whether it has a part of the files only, so that those that are protected or
     *     hidden may be missing
     */
    void renew(String path, MountTree tree, boolean isPartial) throws SetupException {
        String at = resolve(path);
        put(at, new Entry(Kind.RENEWED, tree, 0, true));
        if (isPartial) {
            reduce(at);
        }
    }

    /** Lets protected or hidden files below a folder be missing. */
    void reduce(String path) {
        partial.add(path);
    }

    /** Allows or forbids to execute programs at and below a path. */
    void execution(Real real, boolean isAllowed) throws SetupException {
        add(Kind.INHERITED, real, MountTree.at(real.source()));
        execution.put(real.path(), isAllowed);
    }

    private boolean forbidsExecution(String path) {
        String nearest =
                execution.keySet().stream()
                        .filter(above -> above.equals(path) || isBelow(path, above))
                        .reduce((_, lower) -> lower)
                        .orElse("");
        return Boolean.FALSE.equals(execution.get(nearest));
    }

    /** Keeps a file or folder visible although a folder above it is replaced. */
    void keep(String path) throws SetupException {
        Optional<Real> real = ofMachine(path);
        if (real.isPresent()
                && (root.isPresent() || replacedAbove(real.get().path()).isPresent())) {
            bind(real.get(), real.get().path(), 0, false);
        }
    }

    private void put(String path, Entry entry) throws SetupException {
        if (path.equals(ROOT) && entry.kind.compareTo(Kind.REPLACED) >= 0) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE,
                    "the root itself can be neither hidden nor replaced");
        }
        Entry before = entries.get(path);
        boolean isStronger = before == null || before.kind.compareTo(entry.kind) < 0;
        Entry stronger = before == null || isStronger ? entry : before;
        boolean isReadOnly =
                entry.kind == Kind.READ_ONLY || (before != null && before.kind == Kind.READ_ONLY);
        entries.put(path, isReadOnly ? stronger.readOnly() : stronger);
    }

    private void target(String path, boolean isFolder) throws SetupException {
        if (replacedAbove(path).isEmpty() && !isOfKernel(path)) {
            makeTarget(top() + path, isFolder);
        }
    }

    /**
     * The target of a path.
     *
     * @param path in the view, without symbolic links
     * @param source the same file on the machine
     */
    record Real(String path, String source, boolean isFolder) {}

    private boolean isOfKernel(String path) {
        return root.isPresent()
                && root.get().kernel()
                && KERNEL.stream().anyMatch(top -> isBelow(path, top));
    }

    /** Returns the target of a path of the view; empty if it does not exist. */
    Optional<Real> find(String path) throws SetupException {
        if (root.isEmpty()) {
            return ofMachine(path);
        }
        if (isOfKernel(path) || (KERNEL.contains(path) && root.get().kernel())) {
            return ofMachine(path)
                    .filter(real -> isOfKernel(real.path()) || KERNEL.contains(real.path()));
        }
        FileRoot folder = new FileRoot(Path.of(top()));
        String followed = folder.follow(Path.of(path)).toString();
        return ofMachine(followed)
                .filter(real -> real.path().equals(followed)) // nobody puts a link there meanwhile
                .map(real ->
                        new Real(
                                followed.equals(top()) ? ROOT : followed.substring(top().length()),
                                followed,
                                real.isFolder()));
    }

    /** Returns the target of a path of the machine; empty if it does not exist. */
    static Optional<Real> ofMachine(String path) throws SetupException {
        try {
            return Optional.of(open(path));
        } catch (FileException e) {
            if (e.isMissing()) {
                return Optional.empty();
            }
            throw new SetupException(SetupException.Step.NAMESPACE, e);
        }
    }

    private static Real open(String path) throws FileException {
        try (HeldPath held = HeldPath.open(path)) {
            return new Real(held.path(), held.path(), held.kind() == FileKind.DIRECTORY);
        }
    }

    /**
     * Returns the target of a path of the view that must exist.
     *
     * @param directive of the unit, for the message
     */
    Real real(String path, String directive) throws SetupException {
        return find(path).orElseThrow(() -> missing(path, directive));
    }

    /** Returns the failure of a directive that names a path which does not exist. */
    static SetupException missing(String path, String directive) {
        return new SetupException(
                SetupException.Step.NAMESPACE,
                directive
                        + "=: "
                        + path
                        + " is missing, or cannot be reached; - before it allows that");
    }

    /** Returns the path without symbolic links; parts that do not exist stay as they are. */
    String resolve(String path) throws SetupException {
        Optional<Real> real = find(path);
        if (real.isPresent()) {
            return real.get().path();
        }
        String parent = parentOf(path);
        String above = parent.equals(ROOT) ? ROOT : resolve(parent);
        return (above.equals(ROOT) ? ROOT : above + "/") + Directory.nameOf(path);
    }

    private static String parentOf(String path) {
        int slash = path.lastIndexOf('/');
        return slash <= 0 ? ROOT : path.substring(0, slash);
    }

    /** Makes the mount point, if it is missing. */
    private static void makeTarget(String path, boolean isFolder) throws SetupException {
        try {
            Directory.make(isFolder ? path : parentOf(path), FOLDER_MODE).close();
            if (!isFolder) {
                makeFile(path);
            }
        } catch (FileException e) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE,
                    "cannot create the mount point: " + e.getMessage());
        }
    }

    private static void makeFile(String path) throws FileException {
        try (Directory parent = Directory.open(parentOf(path))) {
            String name = Directory.nameOf(path);
            if (parent.stat(name).isEmpty()) {
                parent.open(name, PLACE).close();
            }
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

    /**
     * Adds all mounts, from top to bottom.
     *
     * @param later the folder of which the process itself mounts what is there and below
     * @return the mounts of that folder
     */
    List<Late> addTo(Isolation isolation, Optional<String> later) throws SetupException {
        List<Late> late = new ArrayList<>();
        root.ifPresent(own -> {
            Entry top = new Entry(Kind.INHERITED, MountTree.at(own.path()), 0, true);
            isolation.mount(finished(ROOT, entries.getOrDefault(ROOT, top)), own.path());
        });
        for (String path : execution.keySet()) {
            requireUnbound(path);
        }
        List<String> hidden = new ArrayList<>();
        entries.forEach((path, entry) -> {
            if (isCovered(path, entry) || hidden.stream().anyMatch(above -> isBelow(path, above))) {
                return;
            }
            if (entry.kind == Kind.INACCESSIBLE) {
                hidden.add(path);
            }
            if (later.filter(folder -> path.equals(folder) || isBelow(path, folder)).isPresent()) {
                late.add(new Late(finished(path, entry), path));
            } else if (!path.equals(ROOT)) {
                isolation.mount(finished(path, entry), top() + path);
            } else if (root.isEmpty()) { // a cover of the root would not be visible
                rootAttributes(isolation, entry);
            }
        });
        return late;
    }

    /** Refuses a rule for the execution in a tree that is bound from another path. */
    private void requireUnbound(String path) throws SetupException {
        boolean isBound =
                entries.entrySet().stream()
                        .filter(entry -> entry.getValue().kind == Kind.BOUND)
                        .anyMatch(entry -> isBelow(path, entry.getKey()));
        if (isBound) {
            throw new SetupException(
                    SetupException.Step.NAMESPACE,
                    "ExecPaths= or NoExecPaths= names "
                            + path
                            + ", which is below the destination of a bind mount; name the"
                            + " destination itself");
        }
    }

    private void rootAttributes(Isolation isolation, Entry entry) {
        if (isReadOnly(ROOT, entry)) {
            isolation.readOnly(ROOT);
        }
        if (forbidsExecution(ROOT)) {
            isolation.noExecution(ROOT);
        }
    }

    /** Returns whether the rule's path is not visible, because a folder above it is replaced. */
    private boolean isCovered(String path, Entry entry) {
        boolean yields = entry.kind.compareTo(Kind.PROTECTED) <= 0;
        return (yields && replacedAbove(path).isPresent())
                || ((yields || entry.kind == Kind.INACCESSIBLE)
                        && partial.stream().anyMatch(above -> isBelow(path, above)));
    }

    /** Returns whether what is mounted at a path of the plan becomes read-only. */
    boolean isReadOnly(String path) {
        Entry entry = entries.get(path);
        return entry != null && isReadOnly(path, entry);
    }

    private boolean isReadOnly(String path, Entry entry) {
        return entry.kind == Kind.INHERITED
                ? entries.entrySet().stream()
                        .filter(other -> isBelow(path, other.getKey()))
                        .filter(other -> other.getValue().kind != Kind.INHERITED)
                        .reduce((_, lower) -> lower)
                        .map(other -> isReadOnly(other.getKey(), other.getValue()))
                        .orElse(false)
                : entry.kind.isReadOnly() || (entry.attributes & SysMount.READ_ONLY) != 0;
    }

    /**
     * Returns the entry's tree; one that replaces a folder also gets mount points for the mounts
     * below.
     */
    private MountTree finished(String path, Entry entry) {
        MountTree tree = entry.tree;
        if (entry.kind == Kind.REPLACED) {
            List<String> below = new ArrayList<>(entries.tailMap(path).keySet());
            below.removeIf(other -> !replacedAbove(other).equals(Optional.of(path)));
            tree = tree.filledBy(top -> below.forEach(other -> target(top, path, other)));
        }
        long attributes =
                entry.attributes
                        | (isReadOnly(path, entry) ? SysMount.READ_ONLY : 0)
                        | (forbidsExecution(path) ? SysMount.NO_EXEC : 0);
        return attributes == 0 ? tree : tree.filledBy(top -> setAttributes(top, attributes));
    }

    private static void setAttributes(Fd top, long attributes) {
        int r = SysMount.setAttributes(top, true, attributes);
        ErrnoException.check(r, "mount_setattr", top);
    }

    private void target(Fd top, String path, String other) {
        Entry inner = entries.get(other);
        if (inner != null && !isCovered(other, inner)) {
            String relative = other.substring(path.endsWith("/") ? 1 : path.length() + 1);
            target(top, relative, inner.isFolder, other);
        }
    }

    private static void target(Fd top, String path, boolean isFolder, String shown) {
        try (Directory folder = Directory.held(top, shown)) {
            target(folder, path, isFolder);
        } catch (FileException e) {
            throw e.asErrno("open", shown);
        }
    }

    private static void target(Directory top, String path, boolean isFolder) throws FileException {
        int slash = path.indexOf('/');
        String name = slash < 0 ? path : path.substring(0, slash);
        if (slash < 0 && !isFolder) {
            if (top.stat(name).isEmpty()) {
                top.open(name, PLACE).close();
            }
            return;
        }
        boolean made = top.makeDirectory(name, FOLDER_MODE);
        try (Directory inner = top.enter(name)) {
            if (made) {
                inner.chmod(FOLDER_MODE);
            }
            if (slash >= 0) {
                target(inner, path.substring(slash + 1), isFolder);
            }
        }
    }
}
