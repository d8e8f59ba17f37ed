package io.holdfast.manager.exec;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.Capability;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The parts of a sandbox that a manager can make for its units, as it finds at its start.
 *
 * <p>A container forbids most of them: its processes have no CAP_SYS_ADMIN, or a seccomp filter or
 * a security module refuses mounts. A directive that needs such a part is dropped there, and each
 * unit says so once; what is left of it, such as the capabilities that it drops, is applied. Where
 * the manager may make all parts, a sandbox that fails also fails the start of its unit.
 *
 * <p>Safe for use by several threads.
 */
public final class SandboxSupport {
    /** How a manager treats a sandbox that cannot be made. */
    public enum Mode {
        /** Drops what cannot be made here, and fails for what can. */
        AS_FOUND,
        /** Drops nothing: units whose sandbox cannot be made do not start. */
        STRICT,
        /** Drops whatever fails, also where all can be made. */
        WEAK
    }

    private static final String ALL_USERS = "0 0 4294967295";

    private final Mode mode;
    private final Map<Kind, String> lacking;
    private final Set<Capability> capabilities;

    SandboxSupport(Mode mode, Map<Kind, String> lacking, Set<Capability> capabilities) {
        this.mode = mode;
        this.lacking = lacking;
        this.capabilities = capabilities;
    }

    /** Finds out what this process can make. Blocking: it may start a child. */
    public static SandboxSupport find(Mode mode) {
        Set<Capability> own = own();
        Map<Kind, String> lacking = mode == Mode.STRICT ? Map.of() : lacking(own);
        return new SandboxSupport(mode, lacking, own);
    }

    private static Set<Capability> own() {
        long mask = Long.parseUnsignedLong(status("CapEff"), 16);
        Set<Capability> own = EnumSet.allOf(Capability.class);
        own.removeIf(each -> (mask >> each.number() & 1) == 0);
        return own;
    }

    /** Returns a field of our status; 0 if {@code /proc} is not there. */
    private static String status(String field) {
        return SmallFile.read(Path.of("/proc/thread-self/status"))
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.substring(field.length() + 1).strip())
                .findFirst()
                .orElse("0");
    }

    private static Map<Kind, String> lacking(Set<Capability> own) {
        Map<Kind, String> lacking = new EnumMap<>(Kind.class);
        String reason =
                Unistd.geteuid() != 0
                        ? "the manager does not run as root"
                        : !own.contains(Capability.SYS_ADMIN)
                                ? "the manager has no CAP_SYS_ADMIN; a container gets it with"
                                        + " --cap-add SYS_ADMIN"
                                : "";
        for (Kind kind : List.of(Kind.MNT, Kind.NET, Kind.IPC, Kind.UTS)) {
            String why = reason.isEmpty() && isConfined() ? refusal(kind) : reason;
            if (!why.isEmpty()) {
                lacking.put(kind, why);
            }
        }
        return lacking;
    }

    /** Returns whether something other than capabilities may refuse a namespace or a mount. */
    private static boolean isConfined() {
        String users = SmallFile.read(Path.of("/proc/self/uid_map")).strip();
        String profile = SmallFile.read(Path.of("/proc/self/attr/apparmor/current")).strip();
        return !status("Seccomp").equals("0")
                || !users.replaceAll(" +", " ").equals(ALL_USERS)
                || !(profile.isEmpty() || profile.startsWith("unconfined"));
    }

    /** Makes one of a kind, and returns why that is refused; empty if it is not. */
    private static String refusal(Kind kind) {
        try {
            if (kind == Kind.MNT) {
                mount();
            } else {
                Namespace.make(kind).close();
            }
            return "";
        } catch (ErrnoException | Isolation.FailedException e) {
            return isRefusal(e)
                    ? e.getMessage()
                            + "; a seccomp filter or a security module of the container refuses it"
                    : "";
        }
    }

    /**
     * Returns whether this shows that a part cannot be made. Where the attempt met a shortage, or
     * its program is missing, it shows nothing: then the starts that need the part fail, if they
     * do.
     */
    static boolean isRefusal(RuntimeException failure) {
        Throwable why = failure instanceof Isolation.FailedException ? failure.getCause() : failure;
        return !(why instanceof ErrnoException e)
                || switch (e.errno()) {
                    case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN, Errno.ENOENT ->
                            false;
                    default -> true;
                };
    }

    private static void mount() {
        Isolation isolation = new Isolation();
        isolation.mount(MountTree.fileSystem("tmpfs", Map.of("size", "4k")), "/dev");
        try (Child probe =
                Spawn.of("/bin/sh", "-c", ":")
                        .isolation(isolation)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.devNull())
                        .start()) {
            var _ = probe.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** {@return why parts cannot be made here: the kinds of namespaces of each reason} */
    public Map<String, Set<Kind>> lacking() {
        return lacking.entrySet().stream()
                .collect(
                        groupingBy(
                                Map.Entry::getValue,
                                TreeMap::new,
                                mapping(Map.Entry::getKey, toCollection(TreeSet::new))));
    }

    /** Returns whether a start goes on without a sandbox that could not be made. */
    boolean isWeak() {
        return mode == Mode.WEAK;
    }

    /** Returns the settings that can be applied here. */
    SandboxSettings applied(SandboxSettings wanted) {
        return lacking.isEmpty() ? wanted : wanted.without(lacking.keySet());
    }

    /** Returns whether the manager has a capability, without which it cannot pass it on. */
    boolean owns(Capability capability) {
        return mode == Mode.STRICT || capabilities.contains(capability);
    }

    /** Returns the dropped directives of a sandbox, in lists by reason. */
    Map<String, Set<String>> dropped(SandboxSettings wanted) {
        Map<String, Set<String>> dropped = new TreeMap<>();
        for (Map.Entry<Kind, String> lack : lacking.entrySet()) {
            Set<String> directives = new TreeSet<>(wanted.directives());
            directives.removeAll(wanted.without(Set.of(lack.getKey())).directives());
            if (!directives.isEmpty()) {
                dropped.computeIfAbsent(lack.getValue(), _ -> new TreeSet<>()).addAll(directives);
            }
        }
        return dropped;
    }

    /** {@return the line of a unit that reports the dropped directives; empty if there are none} */
    String report(SandboxSettings wanted) {
        return dropped(wanted).entrySet().stream()
                .map(each -> String.join("=, ", each.getValue()) + "=: " + each.getKey())
                .collect(joining("; ", "not applied: ", ""))
                .replaceFirst("^not applied: $", "");
    }

    /**
     * {@return the directives of a unit that are not applied here, with their consequences}
     *
     * @param unit its file
     */
    public List<Diagnostic> unapplied(UnitSource unit, SandboxSettings sandbox) {
        UnitFilePlace place =
                new UnitFilePlace(
                        unit.fragment().map(Path::toString).orElse(unit.name().text()), 0);
        return dropped(sandbox).entrySet().stream()
                .flatMap(each ->
                        each.getValue().stream()
                                .map(directive ->
                                        new Diagnostic(
                                                place,
                                                Diagnostic.Kind.NOT_APPLIED,
                                                directive + "= is not applied: " + each.getKey(),
                                                DirectiveCost.of(directive))))
                .toList();
    }
}
