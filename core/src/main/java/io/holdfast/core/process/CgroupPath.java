package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The path of a cgroup in the cgroup2 tree (cgroups(7)), from which the unit, slice, session and
 * owner of a process follow by systemd's conventions, as sd_pid_get_unit(3) and its siblings return
 * them. Pure text, immutable; no file is read.
 *
 * <p>These queries expect a path as seen from the manager's root. Where that root is not the root
 * of the mounted tree (in a container without a cgroup namespace), call {@link #relativeTo} first:
 *
 * <pre>{@code
 * CgroupPath root = pathOfPid1.managerRoot();
 * Optional<String> unit = CgroupPath.parse("/system.slice/cron.service").relativeTo(root).unit();
 * }</pre>
 *
 * @param path the path in canonical form: absolute, single slashes, none at the end
 */
public record CgroupPath(String path) {
    /** The root of the tree, {@code /}. */
    public static final CgroupPath ROOT = new CgroupPath("/");

    private static final String ROOT_SLICE = "-.slice";
    private static final String REMOVED = " (deleted)";
    private static final int NAME_MAX = 255; // linux/limits.h
    private static final long UID_INVALID = 4294967295L;
    private static final long UID_INVALID_16_BIT = 65535;
    private static final int CAPSULE_NAME_MAX = 29; // the user c-NAME may have 31

    private static final Set<String> KERNEL_FILES =
            Set.of("notify_on_release", "release_agent", "tasks");
    private static final List<String> KERNEL_PREFIXES =
            List.of(
                    "cgroup.",
                    "cpu.",
                    "cpuacct.",
                    "cpuset.",
                    "io.",
                    "blkio.",
                    "memory.",
                    "devices.",
                    "pids.",
                    "bpf-firewall.",
                    "bpf-devices.",
                    "bpf-foreign.",
                    "bpf-socket-bind.",
                    "bpf-restrict-network-interfaces.",
                    "bpf-bind-network-interface.");

    /**
     * Takes a path as it is in the file system: like {@link #parse}, but a name may end in {@code
     * (deleted)}.
     */
    public CgroupPath {
        path = canonical(path);
    }

    /**
     * Parses a path as the kernel prints it after {@code 0::}. The suffix {@code (deleted)}, which
     * a zombie's path has once the directory is removed, is dropped.
     *
     * @return the path
     * @throws ForeignCgroupException if the path leads out of our cgroup namespace ({@code /../x})
     * @throws IllegalArgumentException if it is not an absolute path, or contains a line break, a
     *     NUL or a component {@code .} or {@code ..} that the kernel never prints
     */
    public static CgroupPath parse(String path) {
        return new CgroupPath(
                isRemoved(path) ? path.substring(0, path.length() - REMOVED.length()) : path);
    }

    /** Returns whether the kernel has marked a path as that of a removed directory. */
    static boolean isRemoved(String path) {
        return path.endsWith(REMOVED);
    }

    /**
     * Parses the path in the text of a {@code /proc/PID/cgroup} file: its line {@code 0::PATH}.
     * Empty if there is no such line, as on a system without cgroup2.
     *
     * @param text the text of the file
     * @return the path, or empty
     * @throws IllegalArgumentException as {@link #parse}
     */
    public static Optional<CgroupPath> ofProcFile(String text) {
        return text.lines()
                .filter(line -> line.startsWith("0:"))
                .findFirst()
                .map(line ->
                        line.indexOf(':', 2) < 0 ? "" : line.substring(line.indexOf(':', 2) + 1))
                .map(CgroupPath::parse);
    }

    /**
     * {@return the path of a slice below its manager's root: {@code a-b.slice} is {@code
     * /a.slice/a-b.slice}, and {@code -.slice} the root itself} Components are escaped.
     *
     * @param slice the name of the slice
     * @throws IllegalArgumentException if it is not the name of a slice: it does not end in {@code
     *     .slice}, or has a leading, trailing or double dash
     */
    public static CgroupPath ofSlice(String slice) {
        if (!UnitNames.isSlice(slice)) {
            throw new IllegalArgumentException("not the name of a slice: " + quoted(slice));
        }
        CgroupPath path = ROOT;
        if (!slice.equals(ROOT_SLICE)) {
            for (int dash = slice.indexOf('-'); dash >= 0; dash = slice.indexOf('-', dash + 1)) {
                path = path.child(slice.substring(0, dash) + ".slice");
            }
            path = path.child(slice);
        }
        return path;
    }

    /**
     * {@return the path of a unit or other directory directly below this one, its name escaped}
     *
     * @param name the name of the unit or directory
     * @throws IllegalArgumentException as {@link #escape}
     */
    public CgroupPath child(String name) {
        return new CgroupPath((isRoot() ? "" : path) + "/" + escape(name));
    }

    /**
     * {@return a name escaped for a cgroup's directory: prefixed with {@code _} if it would clash
     * with a file of the kernel, or if it begins with {@code _} or {@code .} itself}
     *
     * @param name the name of the unit or directory
     * @throws IllegalArgumentException if it is not a valid file name: it contains a slash, a NUL
     *     or a line break, or has more than 255 bytes after escaping
     */
    public static String escape(String name) {
        String escaped = needsEscape(name) ? "_" + name : name;
        if (name.indexOf('/') >= 0 || name.indexOf('\0') >= 0 || name.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("not a name for a cgroup: " + quoted(name));
        }
        int bytes = escaped.getBytes(UTF_8).length;
        if (bytes > NAME_MAX) {
            throw new IllegalArgumentException(
                    "a cgroup's name has at most " + NAME_MAX + " bytes, this one " + bytes);
        }
        return escaped;
    }

    /**
     * {@return the name before {@link #escape}: without one leading {@code _}, if any}
     *
     * @param component the name of a directory
     */
    public static String unescape(String component) {
        return component.startsWith("_") ? component.substring(1) : component;
    }

    /** {@return whether it is {@link #ROOT}} */
    public boolean isRoot() {
        return path.equals("/");
    }

    /**
     * {@return the path of the parent directory}
     *
     * @throws IllegalStateException if this is the root
     */
    public CgroupPath parent() {
        if (isRoot()) {
            throw new IllegalStateException("the root of the tree has no parent");
        }
        int end = path.lastIndexOf('/');
        return end == 0 ? ROOT : new CgroupPath(path.substring(0, end));
    }

    /**
     * {@return the names of the directories from the root down, as they are in the file system (not
     * unescaped)}
     */
    public List<String> components() {
        return isRoot() ? List.of() : List.of(path.substring(1).split("/"));
    }

    /**
     * {@return the root of a manager's tree, if this is the path of the manager itself (PID 1):
     * without a trailing {@code init.scope}}
     */
    public CgroupPath managerRoot() {
        return path.endsWith("/init.scope")
                ? new CgroupPath("/" + path.substring(0, path.lastIndexOf('/')))
                : this;
    }

    /**
     * {@return whether this path is the same as another, or below it}
     *
     * @param outer the other path
     */
    public boolean isWithin(CgroupPath outer) {
        return outer.isRoot() || path.equals(outer.path) || path.startsWith(outer.path + "/");
    }

    /**
     * {@return this path relative to a root above it; the same path if that root is not above it}
     *
     * @param root the path of the root
     */
    public CgroupPath relativeTo(CgroupPath root) {
        return !root.isRoot() && isWithin(root)
                ? new CgroupPath("/" + path.substring(root.path.length()))
                : this;
    }

    /** Returns how many of its components name slices and the unit of the system manager. */
    int systemNames() {
        int all = components().size();
        return Math.min(all, all - belowSlices(components()).size() + 1);
    }

    /**
     * {@return the unit of the system manager, as sd_pid_get_unit(3): the directory below the
     * leading slices, if its name is a unit name} A user's services are all in the unit {@code
     * user@UID.service}.
     */
    public Optional<String> unit() {
        return unitOf(components());
    }

    /**
     * {@return the slice of the system manager, as sd_pid_get_slice(3); {@code -.slice} if there is
     * none}
     */
    public String slice() {
        return sliceOf(components());
    }

    /**
     * {@return the unit of a user's own manager, as sd_pid_get_user_unit(3): below {@code
     * user@UID.service}, {@code session-ID.scope} or {@code capsule@NAME.service}} Capsules count
     * as in systemd 258 and later.
     */
    public Optional<String> userUnit() {
        return belowUserManager().flatMap(CgroupPath::unitOf);
    }

    /**
     * {@return the slice of a user's own manager, as sd_pid_get_user_slice(3); {@code -.slice} if
     * it is below such a manager and in no slice, empty if it is not below one}
     */
    public Optional<String> userSlice() {
        return belowUserManager().map(CgroupPath::sliceOf);
    }

    /** {@return the identifier of the login session, as sd_pid_get_session(3)} */
    public Optional<String> session() {
        return unit().flatMap(CgroupPath::sessionOf);
    }

    /** {@return the uid whose slice {@code user-UID.slice} it is in, as sd_pid_get_owner_uid(3)} */
    public OptionalLong ownerUid() {
        return between("user-", slice(), ".slice")
                .map(CgroupPath::uidOf)
                .orElse(OptionalLong.empty());
    }

    @Override
    public String toString() {
        return path;
    }

    private Optional<List<String>> belowUserManager() {
        List<String> rest = belowSlices(components());
        return !rest.isEmpty() && holdsUserUnits(rest.getFirst())
                ? Optional.of(rest.subList(1, rest.size()))
                : Optional.empty();
    }

    /** Such a directory never needs an escape, so its name is not unescaped. */
    private static boolean holdsUserUnits(String component) {
        return between("user@", component, ".service")
                        .map(CgroupPath::uidOf)
                        .orElse(OptionalLong.empty())
                        .isPresent()
                || between("capsule@", component, ".service")
                        .filter(CgroupPath::isCapsule)
                        .isPresent()
                || sessionOf(component).isPresent();
    }

    private static Optional<String> unitOf(List<String> components) {
        return belowSlices(components).stream()
                .findFirst()
                .map(CgroupPath::unescape)
                .filter(name -> UnitNames.isPlain(name) || UnitNames.isInstance(name))
                .filter(name -> !name.endsWith(".slice"));
    }

    private static String sliceOf(List<String> components) {
        int slices = components.size() - belowSlices(components).size();
        return slices == 0 ? ROOT_SLICE : unescape(components.get(slices - 1));
    }

    private static List<String> belowSlices(List<String> components) {
        int slices = 0;
        while (slices < components.size() && isSlice(components.get(slices))) {
            slices++;
        }
        return components.subList(slices, components.size());
    }

    /** Looser than {@link UnitNames#isSlice}: the position of dashes is not checked. */
    private static boolean isSlice(String component) {
        return component.endsWith(".slice") && UnitNames.isPlain(unescape(component));
    }

    private static Optional<String> sessionOf(String unit) {
        return between("session-", unit, ".scope")
                .filter(id -> id.chars().allMatch(UnitNames::isLetterOrDigit));
    }

    private static boolean isCapsule(String name) {
        return name.length() <= CAPSULE_NAME_MAX
                && name.chars().allMatch(c -> UnitNames.isLetterOrDigit(c) || c == '_' || c == '-');
    }

    private static OptionalLong uidOf(String digits) {
        if (digits.length() > 10
                || !digits.chars().allMatch(c -> c >= '0' && c <= '9')
                || (digits.startsWith("0") && digits.length() > 1)) {
            return OptionalLong.empty();
        }
        long uid = Long.parseLong(digits);
        return uid >= UID_INVALID || uid == UID_INVALID_16_BIT
                ? OptionalLong.empty()
                : OptionalLong.of(uid);
    }

    /** Returns the text between a prefix and a suffix, if both are present and it is not empty. */
    private static Optional<String> between(String prefix, String text, String suffix) {
        return text.length() > prefix.length() + suffix.length()
                        && text.startsWith(prefix)
                        && text.endsWith(suffix)
                ? Optional.of(text.substring(prefix.length(), text.length() - suffix.length()))
                : Optional.empty();
    }

    private static boolean needsEscape(String name) {
        return name.isEmpty()
                || name.startsWith("_")
                || name.startsWith(".")
                || KERNEL_FILES.contains(name)
                || KERNEL_PREFIXES.stream().anyMatch(name::startsWith);
    }

    private static String canonical(String text) {
        if (!text.startsWith("/") || text.indexOf('\0') >= 0 || text.indexOf('\n') >= 0) {
            throw new IllegalArgumentException("not the path of a cgroup: " + quoted(text));
        }
        List<String> components = new ArrayList<>(); // no streams: commands run this at startup
        for (String component : text.split("/")) {
            if (!component.isEmpty()) {
                components.add(component);
            }
        }
        if (!components.isEmpty() && components.getFirst().equals("..")) {
            throw new ForeignCgroupException(quoted(text));
        }
        if (components.contains(".") || components.contains("..")) {
            throw new IllegalArgumentException(
                    "not the path of a cgroup, for it has a component . or ..: " + quoted(text));
        }
        return "/" + String.join("/", components);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\0", "\\0").replace("\n", "\\n") + '"';
    }
}
