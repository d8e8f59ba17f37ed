package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.Optional;

/**
 * A slice: an inner node of the cgroup tree.
 *
 * @param resources its limits, which all units in it share
 * @param isPerpetual whether it exists for as long as the manager, and cannot be stopped
 */
public record SliceUnit(UnitParts parts, ResourceSettings resources, boolean isPerpetual)
        implements Unit {
    private static final UnitName SYSTEM_SLICE = UnitName.of("system.slice");

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        unit.defaults(defaultDescription(name, scope), true);
        if (isPerpetual(name, scope)) {
            unit.withoutDefaults();
        }
        ResourceSettings.Reader resources = new ResourceSettings.Reader(defaults.resources());
        return new UnitFormat.OwnSection(
                List.of(resources),
                draft -> {
                    if (!isNamedWell(name)) {
                        draft.refuseName(
                                "the name of a slice is made of non-empty parts between dashes");
                    }
                    return new SliceUnit(
                            draft.parts(), resources.build(), isPerpetual(name, scope));
                });
    }

    @Override
    public SliceUnit with(UnitParts other) {
        return new SliceUnit(other, resources, isPerpetual);
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        parent().ifPresent(slice -> ImpliedDependencies.needs(implied, slice));
    }

    /**
     * {@return the parent slice; empty for {@code -.slice}, and if the name is not that of a slice}
     */
    public Optional<UnitName> parent() {
        return CgroupSettings.parentOf(name());
    }

    private static boolean isPerpetual(UnitName name, ManagerScope scope) {
        return isRoot(name) || (!scope.user() && name.equals(SYSTEM_SLICE));
    }

    private static boolean isRoot(UnitName name) {
        return name.equals(CgroupSettings.ROOT_SLICE);
    }

    private static boolean isNamedWell(UnitName name) {
        return isRoot(name) || CgroupSettings.parentOf(name).isPresent();
    }

    /** Returns the description of a slice whose files set none. */
    private static String defaultDescription(UnitName name, ManagerScope scope) {
        if (isRoot(name)) {
            return "Root Slice";
        }
        return isPerpetual(name, scope)
                ? "System Slice"
                : "Slice /" + name.stem().replace('-', '/');
    }
}
