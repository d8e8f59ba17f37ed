package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The definitions of a unit: the one in effect, and a newer one that takes effect with the next
 * start. Used on the event loop.
 *
 * @param <U> the type of the unit
 */
public final class UnitDefinition<U extends Unit> {
    private U unit;
    private @Nullable U newer;
    private StartLimit startLimit;

    public UnitDefinition(U unit) {
        this.unit = unit;
        this.startLimit = new StartLimit(unit.unit().startLimit());
    }

    public U unit() {
        return unit;
    }

    public U newest() {
        return newer == null ? unit : newer;
    }

    /** Returns the one that is not in effect yet. */
    public Optional<U> newer() {
        return Optional.ofNullable(newer);
    }

    public void reloaded(U reread) {
        newer = reread;
    }

    /**
     * Puts the newer definition into effect. If the files have vanished, the loaded definition
     * stays in effect.
     */
    public void takeNewer() {
        if (newer != null && newer.source().state() != UnitSource.State.NOT_FOUND) {
            if (!newer.unit().startLimit().equals(unit.unit().startLimit())) {
                startLimit = new StartLimit(newer.unit().startLimit());
            }
            unit = newer;
            newer = null;
        }
    }

    public StartLimit startLimit() {
        return startLimit;
    }
}
