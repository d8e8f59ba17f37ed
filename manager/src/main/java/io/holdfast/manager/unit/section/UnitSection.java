package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.condition.Condition;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.settings.EndSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The {@code [Unit]} section, which every unit has.
 *
 * @param description for people; the unit's name if it has none
 * @param documentation URIs
 * @param sourcePath of a file from which this one was generated
 * @param dependencies as written, by links in folders, and implied ones
 * @param implied those of the dependencies that have no effect if the other unit does not exist:
 *     the default ones of the unit's type
 * @param requiresMountsFor absolute paths, whose mounts are required
 * @param wantsMountsFor the same, of mounts that may fail
 * @param conditions {@code Condition…=}: if one is not met, the start is skipped
 * @param assertions {@code Assert…=}: if one is not met, the start fails
 * @param defaultDependencies whether {@link ImpliedDependencies} adds the usual ones
 * @param collectsFailed whether it is unloaded even if it has failed
 * @param jobs options and time limits of its jobs
 * @param startLimit how often it may be started
 * @param ends actions when it ends
 */
public record UnitSection(
        String description,
        List<String> documentation,
        Optional<String> sourcePath,
        Dependencies dependencies,
        Dependencies implied,
        List<String> requiresMountsFor,
        List<String> wantsMountsFor,
        List<Condition> conditions,
        List<Condition> assertions,
        boolean defaultDependencies,
        boolean refuseManualStart,
        boolean refuseManualStop,
        boolean collectsFailed,
        JobSettings jobs,
        StartLimit startLimit,
        EndSettings ends) {

    private static final List<Dependency> REQUIREMENTS =
            List.of(Dependency.REQUIRES, Dependency.BINDS_TO);

    /** The states in which a unit may be unloaded. */
    private enum CollectMode {
        INACTIVE,
        INACTIVE_OR_FAILED
    }

    /**
     * The options of a unit's jobs.
     *
     * @param allowIsolate whether the unit may be isolated, which stops all other units
     * @param ignoreOnIsolate whether it keeps running when another unit is isolated
     * @param timeout of a job, including the time that it waits
     * @param runningTimeout of a job that has begun
     */
    public record JobSettings(
            boolean allowIsolate,
            boolean ignoreOnIsolate,
            TimeSpan timeout,
            TimeSpan runningTimeout) {}

    /**
     * The start limit of a unit.
     *
     * @param interval 0: no limit
     * @param burst starts within the interval; 0: no limit
     */
    public record StartLimit(TimeSpan interval, int burst) {
        /** {@return whether there is no limit, because either number is 0} */
        public boolean isUnlimited() {
            return interval.micros() == 0 || burst == 0;
        }
    }

    public UnitSection {
        documentation = List.copyOf(documentation);
        requiresMountsFor = List.copyOf(requiresMountsFor);
        wantsMountsFor = List.copyOf(wantsMountsFor);
        conditions = List.copyOf(conditions);
        assertions = List.copyOf(assertions);
    }

    /** {@return a copy with more implied dependencies} */
    UnitSection implying(Dependencies more) {
        return with(
                SharedParts.of(dependencies.and(more)),
                SharedParts.of(implied.and(more.without(dependencies))));
    }

    /** {@return a copy that may start although units of this type that it requires do not exist} */
    UnitSection withOptional(UnitType type) {
        Dependencies.Builder optional = new Dependencies.Builder();
        for (Dependency kind : REQUIREMENTS) {
            dependencies.of(kind).stream()
                    .filter(other -> other.type() == type)
                    .forEach(other -> optional.add(kind, other));
        }
        return with(dependencies, implied.and(optional.build()));
    }

    /** {@return whether the unit cannot start if the other one does not exist} */
    public boolean requires(UnitName other) {
        return REQUIREMENTS.stream()
                .anyMatch(kind -> dependencies.has(kind, other) && !implied.has(kind, other));
    }

    private UnitSection with(Dependencies all, Dependencies optional) {
        return new UnitSection(
                description,
                documentation,
                sourcePath,
                all,
                optional,
                requiresMountsFor,
                wantsMountsFor,
                conditions,
                assertions,
                defaultDependencies,
                refuseManualStart,
                refuseManualStop,
                collectsFailed,
                jobs,
                startLimit,
                ends);
    }

    static final class Reader implements SectionReader {
        private Optional<String> description = Optional.empty();
        private final List<String> documentation = new ArrayList<>();
        private Optional<String> sourcePath = Optional.empty();
        private final Dependencies.Builder dependencies = new Dependencies.Builder();
        private final List<String> requiresMountsFor = new ArrayList<>();
        private final List<String> wantsMountsFor = new ArrayList<>();
        private final List<Condition> conditions = new ArrayList<>();
        private final List<Condition> assertions = new ArrayList<>();
        private boolean mayDefault = true;
        private boolean defaultDependencies = true;
        private boolean refuseManualStart;
        private boolean refuseManualStop;
        private CollectMode collectMode = CollectMode.INACTIVE;
        private boolean allowIsolate;
        private boolean ignoreOnIsolate;
        private TimeSpan jobTimeout = TimeSpan.INFINITY;
        private Optional<TimeSpan> jobRunningTimeout = Optional.empty();
        private TimeSpan startLimitInterval;
        private final EndSettings.Reader ends = new EndSettings.Reader();
        private int startLimitBurst;

        /**
         * @param defaults of units that set nothing themselves
         */
        Reader(ManagerDefaults defaults) {
            startLimitInterval = defaults.startLimitInterval();
            startLimitBurst = defaults.startLimitBurst();
        }

        /** Sets the defaults for a unit of its type. */
        void defaults(String words, boolean staysOnIsolate) {
            description = Optional.of(words);
            ignoreOnIsolate = staysOnIsolate;
        }

        /** Excludes default dependencies, regardless of the unit's files. */
        void withoutDefaults() {
            mayDefault = false;
        }

        /** Sets how long its jobs may run, unless its files say so. */
        void runningTimeout(TimeSpan limit) {
            jobRunningTimeout = Optional.of(limit);
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "Description" -> description = a.text(description);
                case "Documentation" -> a.list(documentation);
                case "SourcePath" -> sourcePath = a.path(sourcePath);
                case "RequiresMountsFor" -> paths(a, requiresMountsFor);
                case "WantsMountsFor" -> paths(a, wantsMountsFor);
                case "DefaultDependencies" -> defaultDependencies = a.bool(defaultDependencies);
                case "RefuseManualStart" -> refuseManualStart = a.bool(refuseManualStart);
                case "RefuseManualStop" -> refuseManualStop = a.bool(refuseManualStop);
                case "CollectMode" -> collectMode = a.word(collectMode, CollectMode.values());
                case "AllowIsolate" -> allowIsolate = a.bool(allowIsolate);
                case "IgnoreOnIsolate" -> ignoreOnIsolate = a.bool(ignoreOnIsolate);
                case "JobTimeoutSec" -> jobTimeout = a.span(jobTimeout);
                case "JobRunningTimeoutSec" ->
                        jobRunningTimeout =
                                Optional.of(a.span(jobRunningTimeout.orElse(jobTimeout)));
                default -> {
                    return assignInOldPlace(a)
                            || ends.assign(a)
                            || assignCondition(a)
                            || assignDependency(a);
                }
            }
            return true;
        }

        /** Reads the start limits and actions; older unit files have them in {@code [Service]}. */
        boolean assignInOldPlace(Assignment a) {
            switch (a.key()) {
                case "StartLimitIntervalSec", "StartLimitInterval" ->
                        startLimitInterval = a.span(startLimitInterval);
                case "StartLimitBurst" ->
                        startLimitBurst =
                                a.value(
                                        startLimitBurst,
                                        text -> Scalars.parseInt(text, 0, Integer.MAX_VALUE));
                case "StartLimitAction", "FailureAction" -> {
                    return ends.assign(a);
                }
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static void paths(Assignment a, List<String> paths) {
            if (a.isEmpty()) {
                paths.clear();
            }
            a.words(WordReader.Backslash.LITERAL_NEXT, word -> paths.add(Scalars.parsePath(word)));
        }

        private boolean assignCondition(Assignment a) {
            boolean assertion = a.key().startsWith("Assert");
            if (!DirectiveTable.isKnown("Unit", a.key())
                    || !(assertion || a.key().startsWith("Condition"))) {
                return false;
            }
            List<Condition> list = assertion ? assertions : conditions;
            if (a.isEmpty()) {
                list.clear(); // conditions of every kind
                return true;
            }
            String kind = a.key().substring((assertion ? "Assert" : "Condition").length()).intern();
            a.value(
                            Optional.<Condition>empty(),
                            text ->
                                    Optional.of(
                                            Condition.parse(
                                                    kind,
                                                    assertion,
                                                    text,
                                                    a.place(),
                                                    a.specifiers())))
                    .ifPresent(list::add);
            return true;
        }

        private boolean assignDependency(Assignment a) {
            Optional<Dependency> kind = Dependency.ofDirective(a.key());
            UnitName self = a.specifiers().unit();
            kind.ifPresent(dependency ->
                    a.words(
                            WordReader.Backslash.KEPT,
                            word -> {
                                UnitName unit = UnitLoader.instantiate(UnitName.of(word), self);
                                if (!unit.equals(self)) {
                                    dependencies.add(dependency, SharedParts.of(unit));
                                }
                            }));
            return kind.isPresent();
        }

        private static TimeSpan unlimitedIfZero(TimeSpan span) {
            return span.micros() == 0 ? TimeSpan.INFINITY : span;
        }

        UnitSection build(UnitSource source) {
            source.links().stream()
                    .filter(link -> !link.unit().equals(source.name()))
                    .forEach(link -> dependencies.add(link.kind(), link.unit()));
            return new UnitSection(
                    description.orElse(source.name().text()),
                    documentation,
                    sourcePath,
                    dependencies.build(),
                    Dependencies.NONE,
                    requiresMountsFor,
                    wantsMountsFor,
                    conditions,
                    assertions,
                    mayDefault && defaultDependencies,
                    refuseManualStart,
                    refuseManualStop,
                    collectMode == CollectMode.INACTIVE_OR_FAILED,
                    SharedParts.of(
                            new JobSettings(
                                    allowIsolate,
                                    ignoreOnIsolate,
                                    unlimitedIfZero(jobTimeout),
                                    unlimitedIfZero(jobRunningTimeout.orElse(jobTimeout)))),
                    SharedParts.of(new StartLimit(startLimitInterval, startLimitBurst)),
                    ends.build());
        }
    }
}
