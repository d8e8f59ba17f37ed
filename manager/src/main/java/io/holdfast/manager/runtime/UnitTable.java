package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitDetails;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The table of units, and of their relations. A unit that another one names, and that is masked,
 * not found or has a bad setting, is in the table, too: inactive, and every start of it is refused.
 * Used on the event loop.
 */
public final class UnitTable {
    private static final int REASONS = 256;

    private final Map<UnitName, String> reasons = new LinkedHashMap<>(); // kept after unloading
    private final ManagerContext context;
    private final UnitKinds kinds;
    private final Map<UnitName, LoadedUnit> units = new LinkedHashMap<>();
    private final UnitIndexes indexes = new UnitIndexes();

    /** The names of the units that are up; also read by workers. */
    private final Set<UnitName> up = ConcurrentHashMap.newKeySet();

    public UnitTable(ManagerContext context, UnitKinds kinds) {
        this.context = context;
        this.kinds = kinds;
    }

    // ---- for jobs

    public Collection<LoadedUnit> nodes() {
        return Collections.unmodifiableCollection(units.values());
    }

    /** Returns a unit by any of its names. */
    public @Nullable LoadedUnit node(UnitName name) {
        LoadedUnit unit = units.get(name);
        return unit == null ? indexes.byAlias(name) : unit;
    }

    public boolean isFound(UnitName name) {
        LoadedUnit unit = node(name);
        return unit != null && unit.isFound();
    }

    /** Returns the units that have such a dependency on a unit, under any of its names. */
    public Collection<LoadedUnit> dependants(Dependency kind, LoadedUnit on) {
        return indexes.dependants(kind, on);
    }

    /** Returns the units that start it on an event. */
    Collection<LoadedUnit> triggering(LoadedUnit node) {
        return indexes.triggering(node);
    }

    /** Returns the units that it starts on an event. */
    public Collection<LoadedUnit> triggered(LoadedUnit node) {
        return indexes.triggered(node);
    }

    /** Returns each unit whose files name this one. */
    public Stream<LoadedUnit> referring(LoadedUnit to) {
        return indexes.referring(to);
    }

    /** Returns the names of the units that the files of this one name. */
    public Set<UnitName> referredBy(LoadedUnit node) {
        return indexes.referredBy(node);
    }

    /** Returns why a unit cannot be started, because of its type; empty if it can. */
    public Optional<String> unsupported(UnitName name) {
        return kinds.unsupported(name.type());
    }

    /** Returns the names of the units that are up: a live view, for any thread. */
    public Set<UnitName> up() {
        return Collections.unmodifiableSet(up);
    }

    /** Records the present state of a unit. */
    public void noteState(LoadedUnit node) {
        if (node.activeState().isUp()) {
            up.add(node.name());
        } else {
            up.remove(node.name());
        }
    }

    // ---- for other classes

    public Collection<ManagedUnit> all() {
        return units.values().stream().map(LoadedUnit::unit).toList();
    }

    /** Returns what all units of one type show, beside their status. */
    public <D extends UnitDetails> List<D> details(Class<D> type) {
        return units.values().stream()
                .flatMap(node -> node.unit().details().stream())
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    /** Returns a unit by any of its names. */
    public @Nullable ManagedUnit find(UnitName name) {
        LoadedUnit unit = node(name);
        return unit == null ? null : unit.unit();
    }

    /**
     * @throws IllegalArgumentException if the unit is not loaded
     */
    public ManagedUnit get(UnitName name) {
        ManagedUnit unit = find(name);
        if (unit == null) {
            throw new IllegalArgumentException(name + " is not loaded");
        }
        return unit;
    }

    /**
     * Adds or updates a unit as it was read, and logs the diagnostics of its files once.
     *
     * @throws JobRefusedException if there are too many units
     */
    public void take(Unit unit) {
        LoadedUnit known = known(unit);
        if (known != null) {
            if (!known.unit().newest().equals(unit)) {
                logDiagnostics(unit);
                Set<UnitName> before = referredBy(known);
                known.unit().reloaded(unit);
                indexes.update(known);
                context.events().unused(before);
            }
        } else {
            if (unit.source().state() != UnitSource.State.NOT_FOUND) {
                logDiagnostics(unit);
            }
            make(unit);
        }
        dropAliasesOf(unit);
    }

    /** Drops the units that were not found by the names that are aliases of a unit now. */
    private void dropAliasesOf(Unit unit) {
        for (UnitName name : unit.source().names()) {
            LoadedUnit other = units.get(name);
            if (other != null && !other.isFound() && !name.equals(unit.name())) {
                drop(other.unit());
            }
        }
    }

    /**
     * Adds a unit that a previous manager had loaded; its files may be gone. Their diagnostics were
     * logged when the previous manager read them.
     */
    public void adopt(Unit unit) {
        if (known(unit) == null) {
            make(unit);
        }
    }

    private void make(Unit unit) {
        if (units.size() >= ManagerLimits.UNITS.intValue()) {
            throw new JobRefusedException(
                    JobRefusedException.Reason.LIMIT,
                    unit.name(),
                    "is not loaded: "
                            + units.size()
                            + " units are loaded, which is the limit; "
                            + ManagerLimits.UNITS.remedy());
        }
        ManagedUnit made = kinds.create(context, unit);
        String reason = reasons.remove(unit.name());
        if (reason != null) {
            made.notStarted(reason);
        }
        LoadedUnit node = new LoadedUnit(this, made);
        units.put(unit.name(), node);
        noteState(node);
        indexes.update(node);
        context.events().loaded(unit.name());
    }

    /**
     * Returns the loaded unit that a read unit belongs to: the unit of that name, or one that has
     * become an alias of it; not one whose alias it no longer is.
     */
    private @Nullable LoadedUnit known(Unit unit) {
        LoadedUnit own = units.get(unit.name());
        if (own != null) {
            return own;
        }
        LoadedUnit other = node(unit.name());
        return other != null && unit.source().names().contains(other.name()) ? other : null;
    }

    /**
     * Returns why a unit that is no longer loaded was not started; kept for a limited number of
     * units.
     */
    public Optional<String> reasonOf(UnitName unloaded) {
        return Optional.ofNullable(reasons.get(unloaded));
    }

    /** Unloads an inactive unit, but remembers why it was not started. */
    public void drop(ManagedUnit unit) {
        LoadedUnit node = units.get(unit.unit().name());
        if (node != null && node.unit().equals(unit)) {
            context.events().unloading(node.name());
            unit.status().failure().ifPresent(why -> remember(node.name(), why));
            units.remove(node.name());
            up.remove(node.name());
            indexes.remove(node);
            unit.unloaded();
        }
    }

    private void remember(UnitName name, String why) {
        reasons.put(name, why);
        if (reasons.size() > REASONS) {
            reasons.remove(reasons.keySet().iterator().next());
        }
    }

    /** Logs each error in its own line, and only the number of unsupported directives. */
    private void logDiagnostics(Unit unit) {
        int unsupported = 0;
        int security = 0;
        for (Diagnostic each : unit.diagnostics()) {
            if (each.kind() == Diagnostic.Kind.NOT_APPLIED) {
                unsupported++;
                security += each.isSecurity() ? 1 : 0;
            } else {
                context.listener().event(unit.name(), level(each), each.toString());
            }
        }
        if (unsupported > 0) {
            String text =
                    (unsupported == 1 ? "1 directive is" : unsupported + " directives are")
                            + " not supported"
                            + (security > 0 ? ", " + security + " of them security" : "")
                            + ": holdfast verify "
                            + unit.source()
                                    .fragment()
                                    .map(Path::toString)
                                    .orElse(unit.name().text());
            context.listener()
                    .event(
                            unit.name(),
                            security > 0
                                    ? ManagerListener.Level.WARNING
                                    : ManagerListener.Level.NOTICE,
                            text);
        }
    }

    private static ManagerListener.Level level(Diagnostic diagnostic) {
        return switch (diagnostic.severity()) {
            case ERROR -> ManagerListener.Level.ERROR;
            case WARNING -> ManagerListener.Level.WARNING;
            case NOTICE -> ManagerListener.Level.NOTICE;
        };
    }
}
