package io.holdfast.manager;

import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The jobs that are under way, with a number each. A unit has at most one that starts or stops it,
 * and one that reloads it: who asks for the same gets the same, who asks for the opposite takes its
 * place. On the loop.
 */
final class JobTable {
    /** The place of a job: what excludes each other has the same. */
    private record Place(UnitName unit, boolean reload) {
        static Place of(UnitName unit, JobType type) {
            return new Place(unit, type == JobType.RELOAD);
        }
    }

    private final UnitListener listener;
    private final Map<Long, UnitJob> byId = new LinkedHashMap<>();
    private final Map<Place, Long> byPlace = new HashMap<>();
    private final Set<Long> irreversible = new HashSet<>();
    private long lastId;

    JobTable(UnitListener listener) {
        this.listener = listener;
    }

    /** A job of that unit: the one that does it already, or a new one that others give way to. */
    UnitJob install(UnitName unit, JobType type) {
        Place place = Place.of(unit, type);
        UnitJob there = at(place);
        if (there != null) {
            if (serves(there.type(), type)) {
                return there;
            }
            end(there.id(), JobResult.CANCELED);
        }
        UnitJob job = new UnitJob(++lastId, unit, type, false);
        byId.put(job.id(), job);
        byPlace.put(place, job.id());
        listener.jobNew(job);
        listener.unitChanged(unit);
        return job;
    }

    /** A job that neither gives way to others nor takes their place. */
    UnitJob installBeside(UnitName unit, JobType type) {
        UnitJob job = new UnitJob(++lastId, unit, type, false);
        byId.put(job.id(), job);
        listener.jobNew(job);
        return job;
    }

    private @Nullable UnitJob at(Place place) {
        Long id = byPlace.get(place);
        return id == null ? null : byId.get(id);
    }

    private static boolean serves(JobType there, JobType wanted) {
        return there == wanted || (there == JobType.RESTART && wanted == JobType.START);
    }

    /** The job under way that this one would take the place of. */
    Optional<UnitJob> inTheWay(UnitName unit, JobType type) {
        return Optional.ofNullable(at(Place.of(unit, type)))
                .filter(there -> !serves(there.type(), type));
    }

    /** None that was given a number after this one gives way to others that are asked for. */
    void makeIrreversible(long after) {
        byId.keySet().stream().filter(id -> id > after).forEach(irreversible::add);
    }

    boolean isIrreversible(long id) {
        return irreversible.contains(id);
    }

    /** It has begun. */
    void running(long id) {
        UnitJob job = byId.get(id);
        if (job != null && !job.running()) {
            byId.put(id, new UnitJob(id, job.unit(), job.type(), true));
        }
    }

    /** It has ended; of one that has ended already nothing is told. */
    void end(long id, JobResult result) {
        UnitJob job = byId.remove(id);
        boolean _ = irreversible.remove(id);
        if (job != null) {
            boolean _ = byPlace.remove(Place.of(job.unit(), job.type()), id);
            listener.unitChanged(job.unit());
            listener.jobRemoved(job, result);
        }
    }

    /** The number that was given last. */
    long last() {
        return lastId;
    }

    Optional<UnitJob> find(long id) {
        return Optional.ofNullable(byId.get(id));
    }

    /** The job of a unit: one that starts or stops it before one that reloads it. */
    Optional<UnitJob> of(UnitName unit) {
        UnitJob job = at(new Place(unit, false));
        return Optional.ofNullable(job == null ? at(new Place(unit, true)) : job);
    }

    Collection<UnitJob> all() {
        return List.copyOf(byId.values());
    }
}
