package io.holdfast.manager.catalog;

import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitFolders;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ImpliedDependencies;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads units, and the units that a start of them pulls in. Blocking; called off the event loop.
 *
 * <p>A unit that counts as active without this manager ({@link AlreadyThere}) is not pulled in.
 */
public final class UnitCatalog {
    private static final List<Dependency> PULLS =
            List.of(Dependency.REQUIRES, Dependency.BINDS_TO, Dependency.WANTS, Dependency.UPHOLDS);

    private final UnitFolders folders;
    private final List<Path> ownFolders;
    private final Function<UnitLoader, Function<UnitName, UnitSource>> sources;
    private final UnitReader reader;
    private final Optional<Path> made; // the folder of units made at run time
    private final KeptUnits kept = new KeptUnits(UnitFolders.RESOLUTION);

    /** Makes a catalog without units made at run time. */
    public UnitCatalog(LoadPath path, List<Path> ownFolders, UnitReader reader) {
        this(
                path.withFirst(ownFolders),
                ownFolders,
                reader,
                loader -> loader::load,
                Optional.empty());
    }

    /**
     * @param made the files of units that were made at run time
     */
    public UnitCatalog(
            LoadPath path, List<Path> ownFolders, UnitReader reader, TransientFiles made) {
        this(
                path.withFirst(ownFolders).withFirst(List.of(made.folder())),
                ownFolders,
                reader,
                made::on,
                Optional.of(made.folder()));
    }

    private UnitCatalog(
            LoadPath all,
            List<Path> ownFolders,
            UnitReader reader,
            Function<UnitLoader, Function<UnitName, UnitSource>> sources,
            Optional<Path> made) {
        this.made = made;
        this.folders = new UnitFolders(all);
        this.sources = sources;
        this.ownFolders =
                ownFolders.stream().map(folder -> folder.toAbsolutePath().normalize()).toList();
        this.reader = reader;
    }

    /**
     * The units that a start pulls in, also those that are masked or not found.
     *
     * @param beside units that were read too, and are not pulled in
     */
    public record Closure(
            Map<UnitName, Unit> units,
            Map<UnitName, Unit> beside,
            List<Missing> missing,
            List<String> notices) {
        /** The result if nothing had to be read. */
        public static final Closure NOTHING = new Closure(Map.of(), Map.of(), List.of(), List.of());

        public @Nullable Unit read(UnitName name) {
            Unit unit = units.get(name);
            return unit == null ? beside.get(name) : unit;
        }
    }

    /** A unit that is required and cannot be loaded. */
    public record Missing(UnitName unit, String directive, UnitName required) {
        /** Returns the line about the unit that requires it. */
        public String text() {
            return directive + "=" + required + ": there is no such unit";
        }
    }

    /** Reads one unit alone. */
    public Unit read(UnitName name) {
        return reading().unit(name);
    }

    /** Returns the unit that consists of these files, as they are written. */
    public Unit of(UnitSource source) {
        return reader.read(source);
    }

    /**
     * Reads a unit that was written at run time, for its maker: other readers do not find it yet.
     */
    public Unit readMade(UnitName name) {
        UnitLoader loader = folders.loader();
        return new UnitReadCache(
                        reader.scope(),
                        other ->
                                other.equals(name)
                                        ? implying(loader.loadTransient(name))
                                        : unit(other, loader))
                .unit(name);
    }

    private UnitReadCache reading() {
        UnitLoader loader = folders.loader();
        return new UnitReadCache(reader.scope(), name -> unit(name, loader));
    }

    private Unit unit(UnitName name, UnitLoader loader) {
        Function<UnitName, UnitSource> source = sources.apply(loader);
        return kept.unit(
                name,
                loader,
                wanted -> implying(source.apply(wanted)),
                read -> read.state() == UnitSource.State.LOADED && !isMade(read));
    }

    /** Returns the unit of these files, with the dependencies that it implies alone. */
    private Unit implying(UnitSource source) {
        Unit written = reader.read(source);
        return UnitReadCache.isLoaded(written)
                ? new AlreadyThere(ownFolders)
                        .withOptionalTargets(ImpliedDependencies.with(written, reader.scope()))
                : written;
    }

    private boolean isMade(UnitSource unit) {
        return made.isPresent()
                && unit.fragment().filter(file -> file.startsWith(made.get())).isPresent();
    }

    /** Reads all units that have a file or are an alias, as they are written. */
    public Map<UnitName, Unit> installed() {
        UnitLoader loader = folders.loader();
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        loader.names().forEach(name -> units.put(name, reader.read(unit(name, loader).source())));
        return units;
    }

    /**
     * Returns whether the files of a unit have changed. The file of a unit made at run time
     * vanishes when the unit ends, maybe while it is read here; that is not a change.
     */
    public boolean differs(UnitSource known) {
        UnitSource now = unit(known.name(), folders.loader()).source();
        if (isMade(known)
                && (now.state() == UnitSource.State.NOT_FOUND
                        || known.fragment().filter(Files::exists).isEmpty())) {
            return false;
        }
        return now.state() != known.state()
                || !now.fragment().equals(known.fragment())
                || !now.dropIns().equals(known.dropIns())
                || !now.files().equals(known.files());
    }

    /** Reads several units, each alone. */
    public List<Unit> readAll(Collection<UnitName> names) {
        UnitReadCache reading = reading();
        return names.stream().map(reading::unit).toList();
    }

    /** Makes the next read scan the folders again: links may have changed. */
    public void forget() {
        folders.forget();
        kept.readAgain();
    }

    /** Returns whether a unit could be loaded. Blocking. */
    public boolean isThere(UnitName name) {
        return reading().source(name).state() == UnitSource.State.LOADED;
    }

    /** Returns how often the folders were scanned. */
    public long scans() {
        return folders.scans();
    }

    /**
     * Reads the units, and all that they pull in.
     *
     * @param beside units to read too, each alone
     * @param up the units of this manager that are already up; may change meanwhile
     */
    public Closure closure(
            Collection<UnitName> anchors, Collection<UnitName> beside, Set<UnitName> up) {
        Search search = new Search(new Snapshot(), up);
        search.run(anchors);
        Set<UnitName> others = new LinkedHashSet<>(beside);
        others.addAll(search.requisites);
        others.removeAll(search.units.keySet());
        return new Closure(search.units, byName(others), search.missing, search.notices);
    }

    /**
     * The units as they are read by and by, each file once, whatever happens to it later. Not
     * thread-safe.
     */
    public final class Snapshot {
        private final UnitReadCache reading = reading();
        private final AlreadyThere there = new AlreadyThere(ownFolders);

        private Snapshot() {}

        /** Reads one unit alone. */
        public Unit read(UnitName name) {
            return reading.unit(name);
        }

        /** Reads a unit and all that it pulls in. */
        public Closure closure(UnitName anchor) {
            Search search = new Search(this, Set.of());
            search.run(List.of(anchor));
            return new Closure(search.units, Map.of(), search.missing, search.notices);
        }
    }

    /** Returns the units as they are from now on. */
    public Snapshot snapshot() {
        return new Snapshot();
    }

    /** Returns the units that a unit requires itself and that cannot be loaded. Blocking. */
    public List<Missing> missing(Unit unit, Set<UnitName> up) {
        Search search = new Search(snapshot(), up);
        search.follow(unit);
        return List.copyOf(search.missing);
    }

    /** Reads the units without those that they pull in. */
    public Closure alone(Collection<UnitName> anchors) {
        return new Closure(byName(anchors), Map.of(), List.of(), List.of());
    }

    private Map<UnitName, Unit> byName(Collection<UnitName> names) {
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        for (Unit unit : readAll(names)) {
            units.put(unit.name(), unit);
        }
        return units;
    }

    /** The search for what one start needs. */
    private static final class Search {
        private final Snapshot snapshot;
        private final UnitReadCache reading;
        private final Set<UnitName> up;
        private final Map<UnitName, Unit> units = new LinkedHashMap<>();
        private final Set<UnitName> known = new HashSet<>(); // under each of their names
        private final List<Missing> missing = new ArrayList<>();
        private final List<String> notices = new ArrayList<>();
        private final Deque<UnitName> todo = new ArrayDeque<>();

        /** Units whose state matters but that are not started ({@code Requisite=}). */
        private final Set<UnitName> requisites = new LinkedHashSet<>();

        Search(Snapshot snapshot, Set<UnitName> up) {
            this.snapshot = snapshot;
            this.reading = snapshot.reading;
            this.up = up;
        }

        void run(Collection<UnitName> anchors) {
            todo.addAll(anchors);
            while (!todo.isEmpty() && units.size() < ManagerLimits.UNITS.intValue()) {
                UnitName wanted = todo.removeFirst();
                if (!known.contains(wanted)) {
                    Unit unit = reading.unit(wanted);
                    units.put(unit.name(), unit);
                    known.addAll(unit.source().names());
                    known.add(unit.name());
                    follow(unit);
                }
            }
        }

        private void follow(Unit unit) {
            for (UnitName other : unit.unitsThatMustExist()) {
                if (reading.source(other).state() != UnitSource.State.LOADED) {
                    missing.add(new Missing(unit.name(), unit.mustExistDirective(), other));
                }
            }
            for (UnitName other : unit.unit().dependencies().of(Dependency.REQUISITE)) {
                boolean isLoaded = reading.source(other).state() == UnitSource.State.LOADED;
                if (isLoaded || !up.contains(other)) {
                    requisites.add(other);
                }
                if (!isLoaded && !up.contains(other)) {
                    missing.add(new Missing(unit.name(), Dependency.REQUISITE.directive(), other));
                }
            }
            for (Dependency kind : PULLS) {
                for (UnitName pulled : unit.unit().dependencies().of(kind)) {
                    follow(unit, kind, pulled);
                }
            }
        }

        private void follow(Unit unit, Dependency kind, UnitName pulled) {
            boolean required = unit.unit().requires(pulled);
            UnitSource source = reading.source(pulled);
            if (source.state() == UnitSource.State.NOT_FOUND && snapshot.there.isMounted(pulled)) {
                if (required) {
                    notices.add(met(unit, kind, pulled) + " is met: it is mounted");
                }
                return;
            }
            switch (source.state()) {
                case LOADED -> {
                    if (known.contains(pulled)) {
                        return;
                    }
                    if (isServedByOthers(source)) {
                        notices.add(
                                met(unit, kind, pulled)
                                        + " is taken as met: another program already serves it");
                    } else if (!snapshot.there.isReached(pulled, source)) {
                        todo.add(pulled);
                    }
                }
                case MASKED, NOT_FOUND -> {
                    if (unit.unit().implied().has(kind, pulled) || up.contains(pulled)) {
                        return;
                    }
                    todo.add(pulled); // what requires it is refused because of its state
                    if (required && source.state() == UnitSource.State.NOT_FOUND) {
                        missing.add(new Missing(unit.name(), kind.directive(), pulled));
                    }
                }
            }
        }

        private static String met(Unit unit, Dependency kind, UnitName pulled) {
            return unit.name() + ": " + kind.directive() + "=" + pulled;
        }

        private boolean isServedByOthers(UnitSource source) {
            return !up.contains(source.name())
                    && snapshot.there.isServed(reading.withoutMembers(source.name()));
        }
    }
}
