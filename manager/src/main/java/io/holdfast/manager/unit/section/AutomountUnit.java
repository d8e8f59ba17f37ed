package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.MountOptions;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An automount: the path on which a mount is made at the first access, after systemd.automount(5).
 */
public record AutomountUnit(UnitParts parts, Section automount) implements Unit {
    private static final UnitName LOCAL = UnitName.of("local-fs.target");
    private static final UnitName BEFORE_LOCAL = UnitName.of("local-fs-pre.target");
    private static final UnitName UMOUNT = UnitName.of("umount.target");

    /**
     * The {@code [Automount]} section.
     *
     * @param where an absolute path
     * @param extraOptions of the kernel's automount point
     * @param directoryMode of the folders that are made for it
     * @param idleTimeout after which an unused mount is unmounted; 0 or infinity: never
     */
    public record Section(
            String where, MountOptions extraOptions, int directoryMode, TimeSpan idleTimeout) {}

    private static final class Reader implements SectionReader {
        private Optional<String> where = Optional.empty();
        private MountOptions extraOptions = MountOptions.NONE;
        private int directoryMode = 0755;
        private TimeSpan idleTimeout = TimeSpan.ZERO;

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "Where" -> where = a.path(where);
                case "ExtraOptions" ->
                        extraOptions =
                                a.optional(Optional.of(extraOptions), MountOptions::parse)
                                        .orElse(MountOptions.NONE);
                case "DirectoryMode" -> directoryMode = a.mode(directoryMode);
                case "TimeoutIdleSec" -> idleTimeout = a.span(idleTimeout);
                default -> {
                    return false;
                }
            }
            return true;
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        Reader reader = new Reader();
        return new UnitFormat.OwnSection(
                List.of(reader),
                draft -> {
                    String where =
                            reader.where
                                    .or(() -> MountUnit.pathOf(draft.source().name()))
                                    .orElse("");
                    if (draft.isWhole()
                            && MountUnit.checkPath(draft, "Where", where)
                            && where.equals("/")) {
                        draft.refuse("Where=/ is always mounted");
                    }
                    return new AutomountUnit(
                            draft.parts(),
                            new Section(
                                    where,
                                    reader.extraOptions,
                                    reader.directoryMode,
                                    reader.idleTimeout));
                });
    }

    @Override
    public AutomountUnit with(UnitParts other) {
        return new AutomountUnit(other, automount);
    }

    @Override
    public Optional<UnitName> triggered() {
        return UnitName.parse(name().stem() + ".mount");
    }

    @Override
    public List<String> neededPaths(ManagerScope scope) {
        List<String> paths = new ArrayList<>(Unit.super.neededPaths(scope));
        Path parent = Path.of(automount.where()).getParent();
        if (parent != null) {
            paths.add(parent.toString());
        }
        return paths;
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        triggered().ifPresent(mount -> implied.add(Dependency.BEFORE, mount));
        if (unit().defaultDependencies()) {
            implied.add(Dependency.AFTER, BEFORE_LOCAL);
            implied.add(Dependency.BEFORE, LOCAL);
            implied.add(Dependency.BEFORE, UMOUNT);
            implied.add(Dependency.CONFLICTS, UMOUNT);
        }
    }
}
