package io.holdfast.manager;

import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.generator.GeneratorFolders;
import io.holdfast.manager.generator.Generators;
import io.holdfast.manager.log.LogLevelFilter;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.reaction.StateChanges;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.ManagerConfiguration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads the configuration and the unit files again, after the generators of these have run. Used on
 * the event loop.
 */
final class Reloading {
    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final Jobs jobs;
    private final StateChanges changes;
    private final LogLevelFilter logLevel;
    private final ReplyWork work;
    private @Nullable Generators generators;
    private Set<String> knownProblems = Set.of(); // of generators: logged only when they are new

    Reloading(
            ManagerContext context,
            UnitTable units,
            UnitCatalog catalog,
            Jobs jobs,
            StateChanges changes,
            LogLevelFilter logLevel,
            ReplyWork work) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.jobs = jobs;
        this.changes = changes;
        this.logLevel = logLevel;
        this.work = work;
    }

    /** Makes each {@link #reload} run these generators first. */
    void use(GeneratorFolders folders) {
        generators = new Generators(folders, context.scope(), context.host());
    }

    /**
     * Runs the generators, if there are some; what fails is logged, unless it did so the last time.
     *
     * @param units whether to run those of units, too
     */
    CompletableFuture<Void> generate(boolean units) {
        Generators all = generators;
        if (all == null) {
            return CompletableFuture.completedFuture(null);
        }
        List<String> problems = Collections.synchronizedList(new ArrayList<>());
        return work.run(
                        "generators",
                        // that time for each kind, and for starting them and reading their output
                        ManagerLimits.GENERATOR_TIMEOUT.duration().multipliedBy(3),
                        () -> run(all, units, problems))
                .handle((_, failure) -> {
                    problems.stream()
                            .filter(line -> !knownProblems.contains(line))
                            .forEach(context::warn);
                    knownProblems = Set.copyOf(problems);
                    if (failure != null && !jobs.isStopping()) {
                        context.warn("generators: " + failure.getMessage());
                    }
                    return null;
                });
    }

    private boolean run(Generators all, boolean units, List<String> problems)
            throws InterruptedException {
        ManagerConfiguration configuration = context.configuration();
        Map<String, String> base =
                configuration.configured().ofUnits(context.scope(), System.getenv());
        configuration.generated(all.environment(base, problems));
        if (units) {
            all.units(
                    context.configuration().get().ofUnits(context.scope(), System.getenv()),
                    problems);
        }
        return true;
    }

    /**
     * Reads the configuration and the files of all loaded units again. A running unit uses its new
     * files from its next start.
     *
     * @return how many of the units have files
     */
    CompletableFuture<Integer> reload() {
        List<UnitName> names = units.all().stream().map(unit -> unit.unit().name()).toList();
        return generate(true)
                .thenCompose(_ -> work.run(() -> context.configuration().read()))
                .thenCompose(problems -> {
                    problems.forEach(context::warn);
                    logLevel.configured(context.configuration().get().logLevel());
                    catalog.forget();
                    return work.run(() -> readWithBound(names));
                })
                .thenApply(read -> {
                    read.forEach(units::take);
                    changes.reloaded(read.stream().map(Unit::name).toList());
                    return (int)
                            read.stream()
                                    .limit(names.size())
                                    .filter(unit -> !unit.source().files().isEmpty())
                                    .count();
                });
    }

    /** Reads units, and those that they are bound to: these may be new, and inactive. */
    private List<Unit> readWithBound(List<UnitName> names) {
        List<Unit> read = catalog.readAll(names);
        Set<UnitName> known = Set.copyOf(names);
        List<UnitName> bound =
                read.stream()
                        .flatMap(
                                unit -> unit.unit().dependencies().of(Dependency.BINDS_TO).stream())
                        .filter(name -> name.type().hasProcesses() && !known.contains(name))
                        .distinct()
                        .toList();
        return Stream.concat(
                        read.stream(),
                        catalog.readAll(bound).stream()
                                .filter(unit -> unit.source().state() == UnitSource.State.LOADED))
                .toList();
    }

    /** Removes what the generators have made. */
    void close() {
        if (generators != null) {
            generators.remove(new ArrayList<>());
        }
    }
}
