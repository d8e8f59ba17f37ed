package io.holdfast.manager.service;

import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ServiceUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the files of a service say: what is in effect, and what was read since and takes effect with
 * the next start. On the loop.
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

    /** If the files have vanished, the loaded definition stays in effect. */
    void takeNewer() {
        if (newer != null && newer.source().state() != UnitSource.State.NOT_FOUND) {
            if (!newer.unit().startLimit().equals(unit.unit().startLimit())) {
                startLimit = new StartLimit(newer.unit().startLimit());
            }
            unit = newer;
            newer = null;
        }
    }

    /** Whether what was read since cannot be started. */
    boolean isNewerUnusable(ManagerContext context) {
        return newer != null
                && (newer.isRefused() || StartRefusal.unsupported(newer, context).isPresent());
    }

    StartLimit startLimit() {
        return startLimit;
    }
}
