package io.holdfast.manager.service;

import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceUnit;
import org.jspecify.annotations.Nullable;

/**
 * The definitions of a service: the one in effect, and a newer one that takes effect with the next
 * start. Used on the event loop.
 */
final class ServiceFiles {
    private ServiceUnit unit;
    private @Nullable ServiceUnit newer;
    private StartLimit startLimit;

    ServiceFiles(ServiceUnit unit) {
        this.unit = unit;
        this.startLimit = new StartLimit(unit.unit().startLimit());
    }

    ServiceUnit unit() {
        return unit;
    }

    ServiceUnit newest() {
        return newer == null ? unit : newer;
    }

    void reloaded(ServiceUnit reread) {
        newer = reread;
    }

    /**
     * Puts the newer definition into effect. If the files have vanished, the loaded definition
     * stays in effect.
     */
    void takeNewer() {
        if (newer != null && newer.source().state() != UnitSource.State.NOT_FOUND) {
            if (!newer.unit().startLimit().equals(unit.unit().startLimit())) {
                startLimit = new StartLimit(newer.unit().startLimit());
            }
            unit = newer;
            newer = null;
        }
    }

    /** Returns whether the newer definition cannot be started. */
    boolean isNewerUnusable(ManagerContext context) {
        return newer != null
                && (newer.isRefused() || StartRefusal.unsupported(newer, context).isPresent());
    }

    StartLimit startLimit() {
        return startLimit;
    }
}
