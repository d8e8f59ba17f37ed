package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.section.UnitSection.StartLimit;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A path: the files that it waits for, and the unit that it starts, after systemd.path(5). */
public record PathUnit(UnitParts parts, Section path) implements Unit {
    private static final UnitName PATHS = UnitName.of("paths.target");

    /** What a path waits for. */
    public enum Kind {
        /** The file exists. */
        EXISTS("PathExists"),
        /** A file exists that matches. */
        EXISTS_GLOB("PathExistsGlob"),
        /** The file has appeared or vanished, or a writer of it has closed it. */
        CHANGED("PathChanged"),
        /** The same, or the file was written. */
        MODIFIED("PathModified"),
        /** The folder has a file. */
        NOT_EMPTY("DirectoryNotEmpty");

        private final String directive;

        Kind(String directive) {
            this.directive = directive;
        }

        /** {@return the name of its directive, and of the condition with the same meaning} */
        public String directive() {
            return directive;
        }

        /** {@return whether it waits for a change, not for a state} */
        public boolean isChange() {
            return this == CHANGED || this == MODIFIED;
        }
    }

    /**
     * One line of a path.
     *
     * @param path absolute
     */
    public record Watched(Kind kind, String path) {}

    /**
     * The {@code [Path]} section.
     *
     * @param watched in the order of the lines
     * @param makeDirectory whether the folders are made at the start
     */
    public record Section(
            List<Watched> watched,
            UnitName unit,
            boolean makeDirectory,
            int directoryMode,
            StartLimit triggerLimit) {
        public Section {
            watched = List.copyOf(watched);
        }
    }

    private static final class Reader implements SectionReader {
        private static final int BURST = 200;

        private final List<Watched> watched = new ArrayList<>();
        private final TriggeredUnit unit = new TriggeredUnit(UnitType.PATH);
        private boolean makeDirectory;
        private int directoryMode = 0755;
        private TimeSpan interval = TimeSpan.seconds(2);
        private int burst = BURST;

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "PathExists" -> watch(a, Kind.EXISTS);
                case "PathExistsGlob" -> watch(a, Kind.EXISTS_GLOB);
                case "PathChanged" -> watch(a, Kind.CHANGED);
                case "PathModified" -> watch(a, Kind.MODIFIED);
                case "DirectoryNotEmpty" -> watch(a, Kind.NOT_EMPTY);
                case "Unit" -> unit.assign(a);
                case "MakeDirectory" -> makeDirectory = a.bool(makeDirectory);
                case "DirectoryMode" -> directoryMode = a.mode(directoryMode);
                case "TriggerLimitIntervalSec" -> interval = a.span(interval);
                case "TriggerLimitBurst" ->
                        burst =
                                a.value(
                                        burst,
                                        text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE));
                default -> {
                    return false;
                }
            }
            return true;
        }

        /** As in systemd, an empty assignment removes the paths of every kind. */
        private void watch(Assignment a, Kind kind) {
            if (a.isEmpty()) {
                watched.clear();
            } else {
                a.path(Optional.empty()).ifPresent(path -> watched.add(new Watched(kind, path)));
            }
        }

        Section build(UnitName name) {
            return new Section(
                    watched,
                    unit.of(name),
                    makeDirectory,
                    directoryMode,
                    new StartLimit(interval, burst));
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        Reader reader = new Reader();
        return new UnitFormat.OwnSection(
                List.of(reader),
                draft -> {
                    Section section = reader.build(draft.source().name());
                    if (draft.isWhole() && section.watched().isEmpty()) {
                        draft.refuse("the path has neither PathExists= nor another condition");
                    }
                    draft.refuseTemplate();
                    return new PathUnit(draft.parts(), section);
                });
    }

    @Override
    public PathUnit with(UnitParts other) {
        return new PathUnit(other, path);
    }

    @Override
    public Optional<UnitName> triggered() {
        return Optional.of(path.unit());
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        implied.add(Dependency.BEFORE, path.unit());
        if (unit().defaultDependencies()) {
            implied.add(Dependency.BEFORE, PATHS);
            if (!scope.user()) {
                ImpliedDependencies.needs(implied, ImpliedDependencies.SYSINIT);
            }
        }
    }
}
