package io.holdfast.manager.runtime;

import io.holdfast.core.Registration;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The set of all listeners of units and jobs. */
public final class UnitListeners implements UnitListener {
    private final List<UnitListener> listeners = new CopyOnWriteArrayList<>();

    public UnitListeners() {}

    public Registration add(UnitListener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public void unitNew(UnitName unit) {
        listeners.forEach(listener -> listener.unitNew(unit));
    }

    @Override
    public void unitRemoved(UnitName unit) {
        listeners.forEach(listener -> listener.unitRemoved(unit));
    }

    @Override
    public void unitChanged(UnitName unit) {
        listeners.forEach(listener -> listener.unitChanged(unit));
    }

    @Override
    public void reloading(boolean begins) {
        listeners.forEach(listener -> listener.reloading(begins));
    }

    @Override
    public void jobNew(UnitJob job) {
        listeners.forEach(listener -> listener.jobNew(job));
    }

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        listeners.forEach(listener -> listener.jobRemoved(job, result));
    }
}
