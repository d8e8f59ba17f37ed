package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.CgroupSettings;
import java.util.List;
import java.util.Optional;

/**
 * A slice: an inner node of the cgroup tree.
 *
 * @param isPerpetual whether it exists for as long as the manager, and cannot be stopped
 */
public record SliceUnit(
        UnitSource source,
        UnitSection unit,
        InstallSection install,
        List<Diagnostic> diagnostics,
        boolean isPerpetual)
        implements Unit {
    private static final UnitName SYSTEM_SLICE = UnitName.of("system.slice");

    public SliceUnit {
        diagnostics = List.copyOf(diagnostics);
    }

    @Override
    public SliceUnit with(UnitSection section) {
        return new SliceUnit(source, section, install, diagnostics, isPerpetual);
    }

    /**
     * {@return the parent slice; empty for {@code -.slice}, and if the name is not that of a slice}
     */
    public Optional<UnitName> parent() {
        return CgroupSettings.parentOf(name());
    }

    static boolean isPerpetual(UnitName name, ManagerScope scope) {
        return isRoot(name) || (!scope.user() && name.equals(SYSTEM_SLICE));
    }

    private static boolean isRoot(UnitName name) {
        return name.equals(CgroupSettings.ROOT_SLICE);
    }

    static boolean isNamedWell(UnitName name) {
        return isRoot(name) || CgroupSettings.parentOf(name).isPresent();
    }

    /** Returns the description of a slice whose files set none. */
    static String defaultDescription(UnitName name, ManagerScope scope) {
        if (isRoot(name)) {
            return "Root Slice";
        }
        return isPerpetual(name, scope)
                ? "System Slice"
                : "Slice /" + name.stem().replace('-', '/');
    }
}
