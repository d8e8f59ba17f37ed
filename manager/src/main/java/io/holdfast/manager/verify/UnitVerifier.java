package io.holdfast.manager.verify;

import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.resource.CgroupPrograms;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SliceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ManagerConfiguration;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds problems of units before a start, without a manager and without starting anything:
 *
 * <ul>
 *   <li>broken, mistyped or unsupported lines in their files, and what these cost;
 *   <li>directives that this machine or container does not permit;
 *   <li>programs, users, groups, and paths of the sandbox that do not exist;
 *   <li>missing units that are required, by the unit or by a unit that it pulls in;
 *   <li>ordering cycles.
 * </ul>
 *
 * <p>It reads files as a manager does, so the manager will report the same about a line. It reads
 * each file once, and keeps what it has read. Blocking. Thread-safe.
 */
public final class UnitVerifier {
    private final LoadPath path;
    private final List<Path> folders;
    private final UnitReader reader;
    private final MachineCheck machine;
    private final Optional<SandboxSupport> sandboxes;
    private @Nullable CgroupPrograms programs;
    private final Map<List<Path>, UnitCatalog.Snapshot> snapshots = new HashMap<>();

    /**
     * @param path of the unit files; its root is that of the programs, users and other files, too
     * @param folders of unit files that take precedence over those of the load path
     * @param sandboxes of a manager here; empty if the units are for another machine or user
     */
    public UnitVerifier(
            ManagerScope scope,
            LoadPath path,
            List<Path> folders,
            Optional<SandboxSupport> sandboxes) {
        this.sandboxes = sandboxes;
        this.path = path;
        this.folders = List.copyOf(folders);
        Host host = Host.read();
        ManagerConfiguration configuration =
                new ManagerConfiguration(path.configuration(), host, scope);
        var _ = configuration.read();
        this.reader = new UnitReader(host, scope, configuration);
        this.machine = new MachineCheck(scope, path.root());
    }

    /**
     * The findings about a unit.
     *
     * @param diagnostics in the order of its lines, then those about the unit as a whole
     */
    public record Verdict(UnitName unit, Optional<Path> fragment, List<Diagnostic> diagnostics) {
        public Verdict {
            diagnostics = List.copyOf(diagnostics);
        }

        /** Returns whether it will work as it is written, except for unsupported directives. */
        public boolean isGood() {
            return diagnostics.stream()
                    .map(Diagnostic::kind)
                    .allMatch(kind ->
                            kind == Diagnostic.Kind.NOT_APPLIED || kind == Diagnostic.Kind.REMARK);
        }
    }

    /** Verifies a unit of the load path. */
    public Verdict verify(UnitName name) throws InterruptedException {
        return verify(name, folders);
    }

    /**
     * Verifies a unit file, with its drop-ins and the units beside it.
     *
     * @throws IllegalArgumentException if its name is not that of a unit
     */
    public Verdict verify(Path file) throws InterruptedException {
        return verify(nameOf(file), foldersOf(file));
    }

    /**
     * Assesses how exposed a service is.
     *
     * @throws IllegalArgumentException if it is no service, or there is no such unit
     */
    public SecurityAssessment assess(UnitName name) throws InterruptedException {
        return assess(name, folders);
    }

    /**
     * Assesses how exposed the service of a unit file is.
     *
     * @throws IllegalArgumentException if its name is not that of a service
     */
    public SecurityAssessment assess(Path file) throws InterruptedException {
        return assess(nameOf(file), foldersOf(file));
    }

    private synchronized SecurityAssessment assess(UnitName name, List<Path> first)
            throws InterruptedException {
        Unit unit = units(first).read(name);
        if (unit.source().state() == UnitSource.State.NOT_FOUND) {
            throw new IllegalArgumentException(name + ": there is no such unit");
        }
        if (!(unit instanceof ServiceUnit service)) {
            throw new IllegalArgumentException(name + ": only services are assessed");
        }
        return SecurityAssessment.of(service);
    }

    private static UnitName nameOf(Path file) {
        return UnitName.of(String.valueOf(file.getFileName()));
    }

    private List<Path> foldersOf(Path file) {
        List<Path> first = new ArrayList<>(folders);
        first.addFirst(file.toAbsolutePath().normalize().getParent());
        return first;
    }

    private UnitCatalog.Snapshot units(List<Path> first) {
        return snapshots.computeIfAbsent(
                first, all -> new UnitCatalog(path, all, reader).snapshot());
    }

    private synchronized Verdict verify(UnitName name, List<Path> first)
            throws InterruptedException {
        UnitCatalog.Snapshot units = units(first);
        Unit unit = units.read(name);
        if (unit.source().state() == UnitSource.State.NOT_FOUND) {
            return new Verdict(
                    name,
                    Optional.empty(),
                    List.of(about(name, Diagnostic.Kind.MISSING, "there is no such unit")));
        }
        List<Diagnostic> all = new ArrayList<>(unit.diagnostics());
        machine.check(unit, all);
        unit.execution().ifPresent(exec -> all.addAll(unapplied(unit, exec)));
        resources(unit).ifPresent(wanted -> all.addAll(unapplied(unit, wanted)));
        UnitCatalog.Closure closure = units.closure(name);
        for (UnitCatalog.Missing missing : closure.missing()) {
            Unit needing = closure.units().get(missing.unit());
            String line = missing.directive() + "=" + missing.required();
            all.add(
                    new Diagnostic(
                            needing == null
                                    ? new UnitFilePlace(missing.unit().text(), 0)
                                    : needing.source()
                                            .placeOf(
                                                    missing.directive(), missing.required().text()),
                            Diagnostic.Kind.MISSING,
                            line
                                    + ": there is no such unit, but "
                                    + missing.unit()
                                    + " requires it"));
        }
        closure.units().values().stream()
                .filter(other -> other.source().state() == UnitSource.State.MASKED)
                .filter(other -> isRequired(other, closure))
                .map(other ->
                        about(
                                other.name(),
                                Diagnostic.Kind.MISSING,
                                "masked, but " + unit.name() + " depends on it"))
                .forEach(all::add);
        OrderCycle.find(closure.units().values())
                .ifPresent(cycle ->
                        all.add(about(name, Diagnostic.Kind.REFUSED, "ordering cycle: " + cycle)));
        return new Verdict(unit.name(), unit.source().fragment(), all);
    }

    private static boolean isRequired(Unit other, UnitCatalog.Closure closure) {
        return closure.units().values().stream()
                .anyMatch(unit -> other.source().names().stream().anyMatch(unit.unit()::requires));
    }

    /** Returns what of the unit's sandbox and limits this machine does not apply. */
    private List<Diagnostic> unapplied(Unit unit, ExecSettings exec) {
        if (sandboxes.isEmpty()) {
            return List.of();
        }
        if (!exec.sandbox().directives().isEmpty()) {
            var _ = sandboxes.get().lacking(); // attempts what is not known yet
            String _ = sandboxes.get().filterRefusal();
        }
        return sandboxes.get().unapplied(unit.source(), exec);
    }

    private static Optional<ResourceSettings> resources(Unit unit) {
        return switch (unit) {
            case ServiceUnit service -> Optional.of(service.cgroup().resources());
            case SliceUnit slice -> Optional.of(slice.resources());
            default -> Optional.empty();
        };
    }

    /** Returns which directives need programs of cgroups that are refused here. */
    private List<Diagnostic> unapplied(Unit unit, ResourceSettings wanted) {
        if (sandboxes.isEmpty() || wanted.needingPrograms().isEmpty()) {
            return List.of();
        }
        CgroupPrograms known = programs;
        if (known == null) {
            known = CgroupPrograms.attempted();
            programs = known;
        }
        return known.diagnostics(unit.source(), wanted).toList();
    }

    private static Diagnostic about(UnitName name, Diagnostic.Kind kind, String message) {
        return new Diagnostic(new UnitFilePlace(name.text(), 0), kind, message);
    }
}
