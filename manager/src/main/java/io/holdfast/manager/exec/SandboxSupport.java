package io.holdfast.manager.exec;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.core.process.Resource;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPrctl;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.seccomp.SystemCallFilters;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.value.Capability;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a sandbox that a manager can make for its units, and what becomes of the directives
 * that need the others.
 *
 * <p>A container forbids most parts: its processes have no CAP_SYS_ADMIN, or a seccomp filter or a
 * security module refuses mounts. A directive that needs such a part is dropped there, and each
 * unit says so once; what is left of it, such as the capabilities that it drops, is applied. Where
 * the manager may make all parts, a sandbox that fails also fails the start of its unit.
 *
 * <p>Where only an attempt can show what is refused, the first unit with a sandbox makes it. Safe
 * for use by several threads.
 */
public final class SandboxSupport {
    /** How a manager treats a sandbox that cannot be made. */
    public enum Mode {
        /** Drops what cannot be made here, and fails for what can. */
        AS_FOUND,
        /** Drops nothing: units of which a directive is not applied do not start. */
        STRICT,
        /** Drops whatever fails, also where all can be made. */
        WEAK
    }

    private static final String OUTSIDE =
            "it names a path outside of RootDirectory=; one in it begins with +";

    private final Mode mode;
    private final Set<Capability> capabilities;
    private final SystemCallFilters filters = new SystemCallFilters();
    private final SharedParts.Registry shared = new SharedParts.Registry();
    private volatile @Nullable Map<Kind, String> lacking;
    private final boolean canDenyWriteExecute = SysPrctl.canDenyWriteExecute();
    private volatile @Nullable String filterRefusal;

    SandboxSupport(Mode mode, @Nullable Map<Kind, String> lacking, Set<Capability> capabilities) {
        this.mode = mode;
        this.lacking = lacking;
        this.capabilities = capabilities;
    }

    /** Finds out what this process can make, but for what takes an attempt. */
    public static SandboxSupport find(Mode mode) {
        Set<Capability> own = SandboxProbe.capabilities();
        return new SandboxSupport(mode, SandboxProbe.known(own).orElse(null), own);
    }

    /** Returns why kinds of namespaces cannot be made. Blocking: the first call may attempt it. */
    private Map<Kind, String> attempted() {
        Map<Kind, String> known = lacking;
        if (known == null) {
            synchronized (this) {
                known = Objects.requireNonNullElseGet(lacking, SandboxProbe::attempt);
                lacking = known;
            }
        }
        return known;
    }

    /**
     * {@return why parts cannot be made here: the kinds of namespaces of each reason} Blocking: it
     * may start children.
     */
    public Map<String, Set<Kind>> lacking() {
        return attempted().entrySet().stream()
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

    /** Returns whether units of which a directive is not applied do not start. */
    public boolean isStrict() {
        return mode == Mode.STRICT;
    }

    /** Returns why mounts cannot be made; empty if they can. Blocking: it may start children. */
    Optional<String> mountRefusal() {
        return Optional.ofNullable(attempted().get(Kind.MNT));
    }

    /** Returns the settings that can be applied here. Blocking: it may start children. */
    SandboxSettings applied(SandboxSettings wanted) {
        return !wanted.isolates() || attempted().isEmpty()
                ? wanted
                : wanted.without(attempted().keySet());
    }

    /**
     * Returns the filters of system calls for these settings; none if none can be installed here.
     * Blocking: it may compile them.
     *
     * @throws io.holdfast.core.ErrnoException ENOENT if libseccomp is not installed
     */
    List<byte[]> filters(SandboxSettings wanted) {
        boolean none = filtered(wanted).isEmpty();
        return none || !filterRefusal().isEmpty()
                ? List.of()
                : filters.programs(
                        canDenyWriteExecute
                                ? wanted.without(Flag.MEMORY_DENY_WRITE_EXECUTE)
                                : wanted);
    }

    /** Returns the directives that need a filter of system calls. */
    private Set<String> filtered(SandboxSettings wanted) {
        Set<String> directives = SystemCallFilters.directives(wanted);
        if (canDenyWriteExecute) {
            directives.remove(Flag.MEMORY_DENY_WRITE_EXECUTE.directive());
        }
        return directives;
    }

    /**
     * Returns whether a process asks the kernel not to make its memory executable, which otherwise
     * a filter of system calls denies.
     */
    boolean deniesWriteExecute(SandboxSettings wanted) {
        return canDenyWriteExecute && wanted.has(Flag.MEMORY_DENY_WRITE_EXECUTE);
    }

    /**
     * {@return why no process can install a filter of system calls here; empty if it can} Blocking:
     * the first call may start a child.
     */
    public String filterRefusal() {
        String known = filterRefusal;
        if (known == null) {
            known = SandboxProbe.filterRefusal();
            filterRefusal = known;
        }
        return known;
    }

    /** Returns the parts of sandboxes that units share. */
    SharedParts.Registry shared() {
        return shared;
    }

    /** Returns the capabilities of the manager. */
    Set<Capability> capabilities() {
        return capabilities;
    }

    /** Returns whether the manager has a capability, without which it cannot pass it on. */
    boolean owns(Capability capability) {
        return capabilities.contains(capability);
    }

    /** Returns whether the manager may give a process this nice value. */
    boolean permits(int nice) {
        return nice >= lowestNice(SysResource.limit(Resource.NICE.number())[0])
                || owns(Capability.SYS_NICE);
    }

    /**
     * Returns the lowest nice value for which no capability is needed.
     *
     * @param limit RLIMIT_NICE
     */
    static long lowestNice(long limit) {
        return limit < 0 || limit > 40 ? -20 : Math.min(0, 20 - limit);
    }

    /** Returns the dropped directives of a unit by reason, as far as they are known. */
    private Map<String, Set<String>> dropped(ExecSettings wanted) {
        Map<String, Set<String>> dropped = new TreeMap<>();
        Map<Kind, String> kinds = lacking;
        if (kinds != null) {
            kinds.forEach((kind, reason) -> {
                Set<String> directives = new TreeSet<>(wanted.sandbox().directives());
                directives.removeAll(wanted.sandbox().without(Set.of(kind)).directives());
                directives.forEach(each -> add(dropped, each, reason));
            });
        }
        String refusal = filterRefusal;
        if (refusal != null && !refusal.isEmpty()) {
            filtered(wanted.sandbox()).forEach(each -> add(dropped, each, refusal));
        }
        wanted.sandbox().rules().stream()
                .filter(rule -> !rule.optional())
                .filter(rule -> rule.seenFrom(wanted.sandbox().root()).isEmpty())
                .forEach(rule -> add(dropped, rule.access().directive(), OUTSIDE));
        if (!owns(Capability.SETPCAP)) {
            capabilityDirectives(wanted)
                    .forEach(each -> add(dropped, each, lacks(Set.of(Capability.SETPCAP))));
        }
        Set<Capability> ambient = new TreeSet<>(wanted.ambientCapabilities());
        ambient.removeAll(capabilities);
        ambient.retainAll(wanted.capabilityBoundingSet());
        if (!ambient.isEmpty()) {
            add(dropped, "AmbientCapabilities", lacks(ambient));
        }
        if (wanted.nice().isPresent() && !permits(wanted.nice().getAsInt())) {
            add(dropped, "Nice", lacks(Set.of(Capability.SYS_NICE)));
        }
        return dropped;
    }

    private static void add(Map<String, Set<String>> dropped, String directive, String reason) {
        dropped.computeIfAbsent(reason, _ -> new TreeSet<>()).add(directive);
    }

    /**
     * Returns the directives that need CAP_SETPCAP. A process without capabilities that cannot gain
     * any has the bounding set that each of them asks for.
     */
    private Set<String> capabilityDirectives(ExecSettings wanted) {
        Set<String> directives = new TreeSet<>();
        if (!wanted.secureBits().isEmpty()) {
            directives.add("SecureBits");
        }
        if (capabilities.isEmpty() && wanted.noNewPrivileges()) {
            return directives;
        }
        if (wanted.capabilityBoundingSet().size() < Capability.values().length) {
            directives.add("CapabilityBoundingSet");
        }
        directives.addAll(wanted.sandbox().droppingCapabilities());
        return directives;
    }

    private static String lacks(Set<Capability> missing) {
        if (Unistd.geteuid() != 0) {
            return SandboxProbe.NOT_ROOT;
        }
        return missing.stream().map(SandboxProbe::lacks).collect(joining(", and "));
    }

    /**
     * {@return the line of a unit that reports the dropped directives; empty if there are none}
     * Blocking: it may start children.
     */
    String report(ExecSettings wanted) {
        SandboxSettings _ = applied(wanted.sandbox());
        if (!filtered(wanted.sandbox()).isEmpty()) {
            String _ = filterRefusal();
        }
        return text(dropped(wanted));
    }

    private static String text(Map<String, Set<String>> dropped) {
        return dropped.entrySet().stream()
                .map(each -> String.join("=, ", each.getValue()) + "=: " + each.getKey())
                .collect(joining("; ", "not applied: ", ""))
                .replaceFirst("^not applied: $", "");
    }

    /**
     * Returns why a strict manager does not start a unit: the directives that are not applied, here
     * or by any manager. Blocking: it may start children.
     *
     * @param diagnostics of its files
     */
    Optional<String> refusal(ExecSettings wanted, List<Diagnostic> diagnostics) {
        if (mode != Mode.STRICT) {
            return Optional.empty();
        }
        String here = report(wanted);
        String anywhere =
                diagnostics.stream()
                        .filter(each -> each.cost().isPresent())
                        .map(Diagnostic::message)
                        .collect(joining("; "));
        String all = here + (here.isEmpty() || anywhere.isEmpty() ? "" : "; ") + anywhere;
        return all.isEmpty()
                ? Optional.empty()
                : Optional.of(all + "; without --strict the unit starts without that");
    }

    /**
     * {@return the directives of a unit that are not applied here, with their consequences} Before
     * the first unit with a sandbox has started, it does not have those of which only an attempt
     * shows that they are refused.
     *
     * @param unit its files
     */
    public List<Diagnostic> unapplied(UnitSource unit, ExecSettings wanted) {
        return dropped(wanted).entrySet().stream()
                .flatMap(each ->
                        each.getValue().stream()
                                .map(directive ->
                                        new Diagnostic(
                                                unit.placeOf(directive, ""),
                                                Diagnostic.Kind.NOT_APPLIED,
                                                directive + "= is not applied: " + each.getKey(),
                                                DirectiveCost.of(directive))))
                .toList();
    }
}
