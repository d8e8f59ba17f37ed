package io.holdfast.manager.request;

import io.holdfast.core.process.PidFd;
import io.holdfast.manager.catalog.TransientFiles;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.install.InstallFolders;
import io.holdfast.manager.unit.install.PropertyFiles;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;

/**
 * Makes units at run time: writes their unit files, reads them like any others, and starts the
 * first unit. A request makes all of its units or none. Used on the event loop.
 */
public final class TransientStarts {
    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final TransientFiles files;
    private final Jobs jobs;
    private final Set<UnitName> beingMade = new HashSet<>();

    public TransientStarts(
            ManagerContext context,
            UnitTable units,
            UnitCatalog catalog,
            TransientFiles files,
            Jobs jobs) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.files = files;
        this.jobs = jobs;
        AutoCloseable _ = jobs.unused().heldBy(beingMade::contains);
    }

    /** Returns the lane in which files of the same name are written and removed in turn. */
    private Lane lane(UnitName name) {
        return context.workers().lane("transient " + name);
    }

    /**
     * Makes units, and requests the start of the first of them. The others are there for it, as the
     * service of a timer.
     *
     * @param request at least one unit; their resources are closed by the units, or here if the
     *     request is refused
     * @param answer completed when the job is queued and before it begins, or failed with {@link
     *     JobRefusedException}
     */
    public void start(
            List<TransientUnit> request, JobMode mode, CompletableFuture<UnitJob> answer) {
        Making making = new Making(request, mode, answer);
        try {
            making.reserve();
        } catch (JobRefusedException e) {
            making.refuse(e);
            return;
        }
        making.write();
    }

    /** One request while it is carried out. */
    private final class Making {
        private final List<TransientUnit> request;
        private final JobMode mode;
        private final CompletableFuture<UnitJob> answer;
        private final List<UnitName> reserved = new ArrayList<>();
        private final List<Unit> read = new ArrayList<>();
        private final List<TransientUnit> given = new ArrayList<>(); // whose resources are theirs

        Making(List<TransientUnit> request, JobMode mode, CompletableFuture<UnitJob> answer) {
            this.request = List.copyOf(request);
            this.mode = mode;
            this.answer = answer;
        }

        private UnitName first() {
            return request.getFirst().name();
        }

        /** Reserves the names. */
        void reserve() {
            if (jobs.isStopping()) {
                throw new JobRefusedException(
                        Reason.SHUTTING_DOWN,
                        first(),
                        "accepts only stop jobs: the manager is stopping.");
            }
            jobs.unused().sweep(); // the last holder of a unit of this name may just have left
            for (TransientUnit unit : request) {
                if (isLoaded(unit.name()) || !beingMade.add(unit.name())) {
                    throw exists(unit.name());
                }
                reserved.add(unit.name());
            }
        }

        /** Writes and reads one file after the other, and then makes the units. */
        void write() {
            if (read.size() == request.size()) {
                make();
                return;
            }
            TransientUnit unit = request.get(read.size());
            Work<Unit> _ =
                    lane(unit.name())
                            .work("the writing of its file", () -> written(unit))
                            .within(ManagerLimits.LOAD_TIMEOUT.duration())
                            .ifNeverBegun(() -> {})
                            .begin((made, failure) -> {
                                if (made == null) {
                                    refuse(Jobs.orUnknown(failure));
                                } else {
                                    read.add(made);
                                    write();
                                }
                            });
        }

        /** Makes the units, and requests the job of the first. */
        private void make() {
            try {
                for (int i = 0; i < request.size(); i++) {
                    take(request.get(i), read.get(i));
                }
            } catch (RuntimeException e) {
                refuse(e);
                return;
            }
            var _ =
                    answer.whenComplete((_, failure) -> {
                        reserved.forEach(beingMade::remove);
                        if (failure != null) {
                            withdraw();
                        }
                        jobs.unused().look(reserved);
                    });
            try {
                jobs.enqueue(first(), JobType.START, mode, answer);
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        }

        private void withdraw() {
            for (UnitName name : reserved) {
                ManagedUnit made = units.find(name);
                if (made != null) {
                    made.withdrawStart();
                }
            }
        }

        /** Adds a unit to the table, and passes it its resources. */
        private void take(TransientUnit made, Unit unit) {
            if (isLoaded(made.name())) {
                throw exists(made.name()); // it was loaded while its file was written
            }
            files.publish(made.name());
            units.take(unit);
            given.add(made);
            units.get(made.name()).take(made.resources());
        }

        /** Undoes everything, and fails the answer. */
        void refuse(Exception why) {
            reserved.forEach(beingMade::remove);
            for (TransientUnit unit : request) {
                if (!given.contains(unit)) {
                    close(unit);
                }
            }
            withdraw();
            jobs.unused().look(reserved); // unloads those that were made, and removes their files
            for (UnitName name : reserved) {
                if (units.find(name) == null) {
                    boolean _ = files.withdraw(name);
                    removeFile(name);
                }
            }
            answer.completeExceptionally(why);
        }

        private void close(TransientUnit unit) {
            unit.resources().processes().forEach(PidFd::close);
            unit.resources().passed().close(context.closer(), unit.name().text());
        }
    }

    /** Returns whether a unit is loaded, unless it is there by its name alone. */
    private boolean isLoaded(UnitName name) {
        LoadedUnit found = units.node(name);
        return found != null
                && found.isFound()
                && !(name.type().isImplicit()
                        && !found.unit().isPerpetual()
                        && found.unit().unit().source().fragment().isEmpty());
    }

    /** Writes the file of a unit, and reads it. Called on a worker. */
    private Unit written(TransientUnit unit) {
        UnitName name = unit.name();
        UnitSource before = catalog.read(name).source();
        if (before.fragment().isPresent()) {
            throw exists(name);
        }
        files.write(name, unit.text());
        Unit read = catalog.readMade(name);
        requireEffect(read);
        LoadedUnit.requireUsable(name, read);
        return read;
    }

    /** Refuses a unit of which the parser has ignored or refused a value. */
    private void requireEffect(Unit unit) {
        String file = files.folder().resolve(unit.name().text()).toString();
        requireEffect(unit, file::equals);
    }

    private static void requireEffect(Unit unit, Predicate<String> isOurs) {
        for (Diagnostic each : unit.diagnostics()) {
            boolean ofValue =
                    each.kind() == Diagnostic.Kind.IGNORED
                            || each.kind() == Diagnostic.Kind.REFUSED
                            || each.kind() == Diagnostic.Kind.UNKNOWN;
            if (ofValue && each.place().line() > 0 && isOurs.test(each.place().source())) {
                throw new JobRefusedException(
                        Reason.INVALID_VALUE, "Failed to set unit properties: " + each.text());
            }
        }
    }

    /**
     * Writes the drop-ins that set properties of a unit, and reads its files again. Blocking.
     *
     * @param folders those of set-property; drop-ins of a unit that was made at run time are beside
     *     its file
     * @param lines the lines of each directive, with the header of their section
     * @return the unit, which is not in the table yet
     * @throws JobRefusedException if there is no such unit, or a value is invalid; nothing is
     *     written then
     */
    public Unit written(
            UnitName name, InstallFolders folders, boolean forThisBoot, Map<String, String> lines) {
        Unit before = catalog.read(name);
        UnitSource source = before.source();
        LoadedUnit.requireUsable(name, before);
        PropertyFiles dropIns =
                new PropertyFiles(
                        files.has(source.name()) ? files.folder() : folders.control(forThisBoot),
                        source.name(),
                        lines);
        requireEffect(catalog.of(dropIns.with(source)), dropIns::has);
        if (!lines.isEmpty()) {
            dropIns.write();
        }
        catalog.forget();
        return catalog.read(name);
    }

    private static JobRefusedException exists(UnitName name) {
        return new JobRefusedException(
                Reason.UNIT_EXISTS, name, "was already loaded or has a fragment file.");
    }

    /** Removes the file of a unit that is no longer loaded. */
    public void unloaded(UnitName name) {
        if (files.withdraw(name)) {
            removeFile(name);
        }
    }

    private void removeFile(UnitName name) {
        try {
            Work<Boolean> _ =
                    lane(name)
                            .work(
                                    "the removal of its file",
                                    () -> {
                                        files.remove(name);
                                        return true;
                                    })
                            .evenIfLate()
                            .begin((_, failure) -> {
                                if (failure != null) {
                                    context.warn(
                                            name,
                                            "cannot remove its file: " + Work.reason(failure));
                                }
                            });
        } catch (RejectedExecutionException e) {
            // the manager is ending, and removes all of them
        }
    }
}
