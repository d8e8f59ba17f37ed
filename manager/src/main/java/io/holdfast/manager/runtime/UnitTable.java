package io.holdfast.manager.runtime;

import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
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

/** The units that are loaded, and what they are to each other. On the loop. */
public final class UnitTable {
    private static final int REASONS = 256;

    private final Map<UnitName, String> reasons = new LinkedHashMap<>(); // of units that have gone
    private final ManagerContext context;
    private final UnitKinds kinds;
    private final Map<UnitName, LoadedUnit> units = new LinkedHashMap<>();
    private final UnitIndexes indexes = new UnitIndexes();

    /** Those that are up; read by workers, too. */
    private final Set<UnitName> up = ConcurrentHashMap.newKeySet();

    private UnitCatalog.Closure read = UnitCatalog.Closure.NOTHING;

    public UnitTable(ManagerContext context, UnitKinds kinds) {
        this.context = context;
        this.kinds = kinds;
    }

    // ---- as jobs see them

    public Collection<LoadedUnit> nodes() {
        return Collections.unmodifiableCollection(units.values());
    }

    /** By any of its names. */
    public @Nullable LoadedUnit node(UnitName name) {
        LoadedUnit unit = units.get(name);
        return unit == null ? indexes.byAlias(name) : unit;
    }

    /** Those that have such a dependency on a unit, under any of its names. */
    public Collection<LoadedUnit> dependants(Dependency kind, LoadedUnit on) {
        return indexes.dependants(kind, on);
    }

    /** Those that start it when something comes in. */
    Collection<LoadedUnit> triggering(LoadedUnit node) {
        return indexes.triggering(node);
    }

    /** Those that it starts when something comes in. */
    public Collection<LoadedUnit> triggered(LoadedUnit node) {
        return indexes.triggered(node);
    }

    /** Each unit whose files speak of this one. */
    public Stream<LoadedUnit> referring(LoadedUnit to) {
        return indexes.referring(to);
    }

    /** The names of the units of which the files of this one speak. */
    public Set<UnitName> referredBy(LoadedUnit node) {
        return indexes.referredBy(node);
    }

    /**
     * Grants a request with what was read for it in mind: what it needs and cannot have, and which
     * files are gone.
     */
    public void during(UnitCatalog.Closure closure, Runnable request) {
        read = closure;
        try {
            request.run();
        } finally {
            read = UnitCatalog.Closure.NOTHING;
        }
    }

    /** What the present request read of a unit, if it did. */
    @Nullable Unit readNow(UnitName name) {
        return read.read(name);
    }

    /** What a unit requires and what is not there; the start of a socket looks for its service. */
    List<UnitName> missing(UnitName unit) {
        return read.missing().stream()
                .filter(each -> each.unit().equals(unit))
                .filter(each -> !each.directive().equals(UnitCatalog.SERVICE))
                .map(UnitCatalog.Missing::required)
                .toList();
    }

    /** Those that are up: a view that goes on changing, for any thread. */
    public Set<UnitName> up() {
        return Collections.unmodifiableSet(up);
    }

    /** Takes note of the state that a unit has now. */
    public void noteState(LoadedUnit node) {
        if (node.activeState().isUp()) {
            up.add(node.name());
        } else {
            up.remove(node.name());
        }
    }

    // ---- as others see them

    public Collection<ManagedUnit> all() {
        return units.values().stream().map(LoadedUnit::unit).toList();
    }

    /** All of one kind. */
    public <U extends ManagedUnit> Stream<U> of(Class<U> kind) {
        return units.values().stream()
                .map(LoadedUnit::unit)
                .filter(kind::isInstance)
                .map(kind::cast);
    }

    /** By any of its names. */
    public @Nullable ManagedUnit find(UnitName name) {
        LoadedUnit unit = node(name);
        return unit == null ? null : unit.unit();
    }

    /**
     * @throws IllegalArgumentException if it is not loaded
     */
    public ManagedUnit get(UnitName name) {
        ManagedUnit unit = find(name);
        if (unit == null) {
            throw new IllegalArgumentException(name + " is not loaded");
        }
        return unit;
    }

    /**
     * Takes in a unit as it was read, and tells once what is to be said about its files. One that
     * is not there is taken note of where it was.
     *
     * @throws IllegalStateException if there are too many
     */
    public void take(Unit unit) {
        LoadedUnit known = known(unit);
        if (known != null) {
            if (!known.unit().newest().equals(unit)) {
                tell(unit);
                Set<UnitName> before = referredBy(known);
                known.unit().reloaded(unit);
                indexes.update(known);
                context.events().unused(before);
            }
            return;
        }
        if (unit.source().state() != UnitSource.State.NOT_FOUND) {
            tell(unit);
            make(unit);
        }
    }

    /**
     * Adds a unit that a manager before this one had loaded; its files may be gone. Warnings about
     * them were printed when they were read.
     */
    public void adopt(Unit unit) {
        if (known(unit) == null) {
            make(unit);
        }
    }

    private void make(Unit unit) {
        if (units.size() >= ManagerLimits.UNITS.intValue()) {
            throw new IllegalStateException(
                    unit.name()
                            + ": "
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
     * The one that it is: also one whose name is an alias by now, not one that it was an alias of.
     */
    private @Nullable LoadedUnit known(Unit unit) {
        LoadedUnit own = units.get(unit.name());
        if (own != null) {
            return own;
        }
        LoadedUnit other = node(unit.name());
        return other != null && unit.source().names().contains(other.name()) ? other : null;
    }

    /** Why a unit that is not loaded any more was not started, for the last of them. */
    public Optional<String> reasonOf(UnitName unloaded) {
        return Optional.ofNullable(reasons.get(unloaded));
    }

    /** Forgets a unit that is at rest, but not why it was not started. */
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

    /** Mistakes line by line; of what is not supported, how much there is. */
    private void tell(Unit unit) {
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
