package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import java.util.List;

/** A unit as its files describe it. Immutable; what it does at run time is somebody else's. */
public sealed interface Unit permits ServiceUnit, SocketUnit, TargetUnit, SliceUnit, OtherUnit {
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
}
