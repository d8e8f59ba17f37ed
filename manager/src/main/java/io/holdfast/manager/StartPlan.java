package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.SocketUnit;
import io.holdfast.manager.unit.TargetUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a start will do, decided before anything is done or {@linkplain #tell told}: which units are
 * started, which are refused and why, and which must stop since they conflict with those that
 * start. On the loop.
 */
final class StartPlan {
    private static final List<Dependency> CONFLICTS = List.of(Dependency.CONFLICTS);

    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog.Closure closure;
    private final Collection<ManagedUnit> stopped;
    private final Set<ManagedUnit> named = new LinkedHashSet<>();
    private final List<ManagedUnit> starts = new ArrayList<>();
    private final Set<ManagedUnit> stops = new LinkedHashSet<>();
    private final Set<ManagedUnit> rivals = new LinkedHashSet<>();
    private final Map<UnitName, JobResult> refused = new LinkedHashMap<>();
    private final Set<UnitName> unknown = new LinkedHashSet<>();
    private final Map<UnitName, String> why = new LinkedHashMap<>();

    /**
     * @param names what was asked for
     * @param closure what that pulls in, all of it in the table
     * @param alone whether nothing is demanded of other units, and nothing done to them
     * @param stopped what is up and is stopped before: then it has to be startable too
     * @param canceled what is not to be started any more
     */
    StartPlan(
            ManagerContext context,
            UnitTable units,
            Collection<UnitName> names,
            UnitCatalog.Closure closure,
            boolean alone,
            Collection<ManagedUnit> stopped,
            Collection<UnitName> canceled) {
        this.context = context;
        this.units = units;
        this.closure = closure;
        this.stopped = stopped;
        canceled.forEach(name -> refused.put(name, JobResult.CANCELED));
        for (UnitCatalog.Missing missing : closure.missing()) {
            refuse(
                    missing.unit(),
                    missing.directive() + "=" + missing.required() + ": there is no such unit",
                    JobResult.DEPENDENCY);
        }
        Set<UnitName> wanted = new LinkedHashSet<>(names);
        wanted.addAll(Jobs.names(stopped));
        wanted.addAll(closure.units().keySet());
        for (UnitName name : wanted) {
            ManagedUnit unit = units.find(name);
            if (unit == null || isGone(name, unit)) {
                unknown.add(name);
                why.put(name, unknown(closure.read(name)));
            } else {
                add(unit, names.contains(name));
            }
        }
        if (!alone) {
            settleConflicts();
            refuseDependants();
            findStops();
        }
    }

    List<ManagedUnit> starts() {
        return List.copyOf(starts);
    }

    /** What is up and conflicts with what is started, and those that depend on it. */
    Set<ManagedUnit> stops() {
        return Set.copyOf(stops);
    }

    /** Whether there is no unit of that name. */
    boolean isUnknown(UnitName name) {
        return unknown.contains(name);
    }

    Map<UnitName, JobResult> refused() {
        return Map.copyOf(refused);
    }

    /** Says which are refused and why, and what is stopped for those that are not. */
    void tell() {
        tellRefusals();
        rivals.forEach(unit ->
                context.info(unit.unit().name(), "is stopped: it conflicts with what is started"));
    }

    /** Says which are refused and why, where nothing is done. */
    void tellRefusals() {
        why.forEach(context::error);
    }

    private void refuse(UnitName unit, String reason, JobResult how) {
        why.put(unit, reason);
        refused.put(unit, how);
    }

    /** Whether that was a name of the unit, and is one no more. */
    private boolean isGone(UnitName name, ManagedUnit unit) {
        Unit asRead = closure.read(name);
        return asRead != null
                && asRead.source().state() == UnitSource.State.NOT_FOUND
                && !unit.unit().name().equals(name);
    }

    private void add(ManagedUnit unit, boolean byName) {
        if (byName) {
            named.add(unit);
        }
        if (refused.containsKey(unit.unit().name()) || starts.contains(unit)) {
            return;
        }
        UnitName name = unit.unit().name();
        Unit meant = meant(unit);
        String problem = problem(meant);
        if (problem == null && stopped.contains(unit)) {
            problem = problemOfAnother(meant, byName);
        }
        if (problem != null) {
            refuse(name, problem, JobResult.INVALID);
        } else if (meant.isRefused()) {
            refused.put(name, JobResult.INVALID); // why was told when it was loaded
        } else {
            starts.add(unit);
        }
    }

    /**
     * @param read what was found by that name, if it was looked for
     */
    private static String unknown(@Nullable Unit read) {
        Optional<Diagnostic> why =
                read == null ? Optional.empty() : read.diagnostics().stream().findFirst();
        return "there is no such unit" + why.map(each -> ": " + each).orElse("");
    }

    /** What it is once it is started: what is up already and stays so is what it was. */
    Unit meant(ManagedUnit unit) {
        if (unit.goesOn() && !stopped.contains(unit)) {
            return unit.unit();
        }
        Unit asRead = closure.read(unit.unit().name());
        return asRead != null && asRead.source().state() == UnitSource.State.NOT_FOUND
                ? asRead
                : unit.newest();
    }

    /** Why another run of what is up would fail at once, where that can be told; or null. */
    private @Nullable String problemOfAnother(Unit unit, boolean byName) {
        return switch (unit) {
            case ServiceUnit service -> ServiceStart.unsupported(service, context).orElse(null);
            case SocketUnit socket when byName && !socket.socket().accept() -> {
                ManagedUnit service = units.find(socket.socket().service());
                yield service != null && service.goesOn() && !stopped.contains(service)
                        ? "its service " + service.unit().name() + " is active and would miss it"
                        : null;
            }
            default -> null;
        };
    }

    /** Why a unit cannot be started at all, whatever its files say; or null. */
    private static @Nullable String problem(Unit unit) {
        if (unit.source().state() == UnitSource.State.NOT_FOUND) {
            return unknown(unit);
        }
        if (unit.source().state() == UnitSource.State.MASKED) {
            return "it is masked by "
                    + unit.source().fragment().map(Path::toString).orElse("a file");
        }
        boolean supported =
                unit instanceof ServiceUnit
                        || unit instanceof SocketUnit
                        || unit instanceof TargetUnit;
        return supported ? null : "units of this kind are not supported yet";
    }

    /** Of two that conflict, the one stays that was asked for; else the one that came first. */
    private void settleConflicts() {
        List<ManagedUnit> inOrder = new ArrayList<>(starts);
        inOrder.sort((one, other) -> Boolean.compare(named.contains(other), named.contains(one)));
        List<ManagedUnit> kept = new ArrayList<>();
        for (ManagedUnit unit : inOrder) {
            Optional<ManagedUnit> rival =
                    kept.stream().filter(other -> conflict(unit, other)).findFirst();
            if (rival.isEmpty()) {
                kept.add(unit);
            } else {
                starts.remove(unit);
                refuse(
                        unit.unit().name(),
                        "conflicts with " + rival.get().unit().name() + ", which is started too",
                        JobResult.CANCELED);
            }
        }
    }

    private boolean conflict(ManagedUnit one, ManagedUnit other) {
        return UnitTable.has(meant(one), CONFLICTS, meant(other))
                || UnitTable.has(meant(other), CONFLICTS, meant(one));
    }

    /** Units that require one that is refused, or one that should run already, are refused too. */
    private void refuseDependants() {
        boolean grown = true;
        while (grown) {
            grown =
                    starts.removeIf(unit -> {
                        Optional<String> reason = unmet(unit);
                        reason.ifPresent(
                                text -> refuse(unit.unit().name(), text, JobResult.DEPENDENCY));
                        return reason.isPresent();
                    });
        }
    }

    private Optional<String> unmet(ManagedUnit unit) {
        for (Dependency kind : List.of(Dependency.REQUIRES, Dependency.BINDS_TO)) {
            for (UnitName name : meant(unit).unit().dependencies().of(kind)) {
                ManagedUnit other = units.find(name);
                if (other != null && refused.containsKey(other.unit().name())) {
                    return Optional.of(kind.directive() + "=" + name + " cannot be started");
                }
            }
        }
        for (UnitName name : meant(unit).unit().dependencies().of(Dependency.REQUISITE)) {
            ManagedUnit other = units.find(name);
            if (other == null || (!other.activeState().isUp() && !starts.contains(other))) {
                return Optional.of("Requisite=" + name + " is not active");
            }
        }
        return Optional.empty();
    }

    private void findStops() {
        units.all().stream()
                .filter(unit -> unit.activeState().isUp() && !starts.contains(unit))
                .filter(unit -> starts.stream().anyMatch(start -> conflict(start, unit)))
                .forEach(rivals::add);
        stops.addAll(units.withDependants(rivals));
        stops.removeAll(starts);
    }
}
