package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** A unit as its files describe it. Immutable; its state at run time is kept elsewhere. */
public interface Unit {
    /** {@return the parts that units of all types have} */
    UnitParts parts();

    /** {@return the files that it was read from} */
    default UnitSource source() {
        return parts().source();
    }

    /** {@return the {@code [Unit]} section} */
    default UnitSection unit() {
        return parts().unit();
    }

    /** {@return the {@code [Install]} section} */
    default InstallSection install() {
        return parts().install();
    }

    /** {@return all diagnostics about its files, in the order of reading} */
    default List<Diagnostic> diagnostics() {
        return parts().diagnostics();
    }

    /** {@return its own name, even if it was requested by an alias} */
    default UnitName name() {
        return source().name();
    }

    /** {@return whether an error in its files, a mask or their absence prevents a start} */
    default boolean isRefused() {
        return source().state() != UnitSource.State.LOADED
                || diagnostics().stream().anyMatch(d -> d.severity() == Diagnostic.Severity.ERROR);
    }

    /**
     * {@return that its file or its name cannot be read at all, as systemd says it after a name}
     */
    default Optional<String> unreadable() {
        return diagnostics().stream()
                .filter(d -> d.kind() == Diagnostic.Kind.UNREADABLE)
                .findFirst()
                .map(why ->
                        "failed to load properly, please adjust/correct and reload service"
                                + " manager: "
                                + why);
    }

    /** {@return whether its files define how it reloads its configuration} */
    default boolean canReload() {
        return false;
    }

    /** {@return a copy with other common parts} */
    Unit with(UnitParts parts);

    /** Adds the dependencies that units of this type have beside those in their files. */
    default void imply(ManagerScope scope, Dependencies.Builder implied) {}

    /** {@return the one unit that it is there to start, if its type is there for that} */
    default Optional<UnitName> triggered() {
        return Optional.empty();
    }

    /** {@return the units that it activates} */
    default Set<UnitName> triggers() {
        return triggered().stream().collect(Collectors.toSet());
    }

    /** {@return the units that activate it, by its own files} */
    default Set<UnitName> triggeredBy() {
        return Set.of();
    }

    /** {@return whether the units that it activates get its descriptors when they start} */
    default boolean passesDescriptors() {
        return false;
    }

    /** Returns whether it activates the other unit, by the files of either. */
    default boolean triggers(Unit other) {
        return other.source().names().stream().anyMatch(triggers()::contains)
                || source().names().stream().anyMatch(other.triggeredBy()::contains);
    }

    /** {@return whether the units that it pulls in are ordered before it by default} */
    default boolean isOrderedAfterMembers() {
        return false;
    }

    /**
     * {@return units that must be loadable when it is started, although it does not start them at
     * once}
     */
    default Set<UnitName> unitsThatMustExist() {
        return isRefused() || triggered().isEmpty() ? Set.of() : triggers();
    }

    /** {@return the directive that names them} */
    default String mustExistDirective() {
        return triggered().isPresent() ? "Unit" : "Service";
    }

    /** {@return the settings of the processes that it starts, if it starts any} */
    default Optional<ExecSettings> execution() {
        return Optional.empty();
    }

    /** {@return the place of its cgroup, if its processes have one} */
    default CgroupSettings cgroup() {
        return CgroupSettings.NONE;
    }

    /** {@return all commands of its files} */
    default List<ExecCommand> allCommands() {
        return List.of();
    }

    /** {@return the name on the bus that it owns while it is active} */
    default Optional<String> ownedName() {
        return Optional.empty();
    }

    /** {@return the accounts that its files name beside those of its processes, by directive} */
    default Map<String, String> otherUsers() {
        return Map.of();
    }

    /** {@return the same for groups} */
    default Map<String, String> otherGroups() {
        return Map.of();
    }

    /** {@return the paths whose mounts it requires, and is ordered after} */
    default List<String> neededPaths(ManagerScope scope) {
        List<String> paths = new ArrayList<>(unit().requiresMountsFor());
        execution().ifPresent(exec -> paths.addAll(exec.neededPaths(scope)));
        return paths;
    }

    /** {@return the paths whose mounts it wants, and is ordered after} */
    default List<String> wantedPaths() {
        List<String> paths = new ArrayList<>(unit().wantsMountsFor());
        execution().ifPresent(exec -> paths.addAll(exec.wantedPaths()));
        return paths;
    }

    /** {@return the paths in the file system that it serves while it is active} */
    default List<String> servedPaths() {
        return List.of();
    }
}
