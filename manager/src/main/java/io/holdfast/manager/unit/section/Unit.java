package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;
import java.util.Set;

/** A unit as its files describe it. Immutable; what it does at run time is somebody else's. */
public interface Unit {
    /** The files that it was read from. */
    UnitSource source();

    /** {@code [Unit]}. */
    UnitSection unit();

    /** {@code [Install]}. */
    InstallSection install();

    /** Everything that is to be said about its files, in the order of reading. */
    List<Diagnostic> diagnostics();

    /** Its own name, also if it was asked for by an alias. */
    default UnitName name() {
        return source().name();
    }

    /** Whether an error in its files, a mask or their absence forbids to start it. */
    default boolean isRefused() {
        return source().state() != UnitSource.State.LOADED
                || diagnostics().stream().anyMatch(d -> d.severity() == Diagnostic.Severity.ERROR);
    }

    /** Whether it says how it is made to take up its configuration again. */
    default boolean canReload() {
        return false;
    }

    /** The same with another {@code [Unit]}. */
    Unit with(UnitSection unit);

    /** The units that it starts when something comes in. */
    default Set<UnitName> triggers() {
        return Set.of();
    }

    /** The units that start it when something comes in, by its own word. */
    default Set<UnitName> triggeredBy() {
        return Set.of();
    }

    /** Whether it starts the other when something comes in: by its own word, or by the other's. */
    default boolean triggers(Unit other) {
        return other.source().names().stream().anyMatch(triggers()::contains)
                || source().names().stream().anyMatch(other.triggeredBy()::contains);
    }

    /** Whether the units that it pulls in come before it, unless one of them says otherwise. */
    default boolean isOrderedAfterMembers() {
        return false;
    }

    /** What must be there when it is started, although it does not start that at once. */
    default Set<UnitName> needsToBeThere() {
        return Set.of();
    }

    /** The paths of the file system that it serves when it is active. */
    default List<String> servedPaths() {
        return List.of();
    }
}
