package io.holdfast.manager.catalog;

import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.file.ServedPaths;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ImpliedDependencies;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The units that count as active although this manager did not start them, as far as the machine
 * shows it: each of its tables is read once. Blocking; not thread-safe.
 *
 * <p>A manager that runs on a booted machine does not boot it again: a pulled-in target from the
 * system's unit folders counts as reached, except shutdown.target, with which all units conflict.
 * Targets in the user's own folders, and requested targets, are started with everything that they
 * pull in. A pulled-in socket from the system's unit folders counts as active if another process
 * already serves its addresses, and a mount without a file if another process made it.
 */
final class AlreadyThere {
    private final List<Path> ownFolders;
    private @Nullable MountTable mounted;
    private @Nullable Set<String> served;

    /**
     * @param ownFolders the user's own folders of unit files
     */
    AlreadyThere(List<Path> ownFolders) {
        this.ownFolders = ownFolders;
    }

    /** Returns whether a unit is a target that the machine has reached. */
    boolean isReached(UnitName unit, UnitSource source) {
        return unit.type() == UnitType.TARGET
                && !unit.equals(ImpliedDependencies.SHUTDOWN)
                && !isOwn(source);
    }

    /**
     * Returns the unit as it binds here: a unit of the system may require a target that does not
     * exist, because not every machine has all of them.
     */
    Unit withOptionalTargets(Unit unit) {
        return isOwn(unit.source())
                ? unit
                : ImpliedDependencies.withOptional(unit, UnitType.TARGET);
    }

    /** Returns whether the path of a mount unit is mounted. */
    boolean isMounted(UnitName unit) {
        if (unit.type() != UnitType.MOUNT) {
            return false;
        }
        try {
            MountTable known = mounted;
            if (known == null) {
                known = MountTable.read();
                mounted = known;
            }
            return known.at(UnitEscape.unescapePath(unit.stem())).isPresent();
        } catch (IllegalArgumentException e) {
            return false; // no path has this name
        }
    }

    /** Returns whether another program serves all paths of a unit of the system. */
    boolean isServed(Unit unit) {
        if (unit.servedPaths().isEmpty() || isOwn(unit.source())) {
            return false;
        }
        Set<String> known = served;
        if (known == null) {
            known = ServedPaths.read();
            served = known;
        }
        return known.containsAll(unit.servedPaths());
    }

    private boolean isOwn(UnitSource source) {
        return source.fragment()
                .map(fragment -> ownFolders.stream().anyMatch(fragment::startsWith))
                .orElse(false);
    }
}
