package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.condition.Condition;
import io.holdfast.manager.unit.condition.ConditionTable;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.UnitSection;
import io.holdfast.manager.unit.settings.EmergencyAction;
import io.holdfast.manager.unit.settings.EndSettings;
import io.holdfast.manager.unit.settings.EndSettings.HandlerMode;
import io.holdfast.manager.view.UnitDetails;
import io.holdfast.manager.view.UnitTimes;
import io.holdfast.manager.view.UnitView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;

/** The properties of {@code org.freedesktop.systemd1.Unit}. */
public final class UnitProperties {
    /**
     * A unit, with the manager and the state of its files.
     *
     * @param files the present state of its files, read before
     */
    public record Subject(UnitView view, ManagerView manager, Files files) {
        UnitSection section() {
            return view.unit().unit();
        }
    }

    /**
     * The present state of a unit's files.
     *
     * @param state whether it is enabled, as {@code systemctl is-enabled} prints it
     * @param preset what the preset files say about it
     * @param changed whether they have changed since they were read
     */
    public record Files(String state, String preset, boolean changed) {
        /** The files have not been checked. */
        public static final Files UNKNOWN = new Files("", "", false);
    }

    static final PropertyTable<Subject> TABLE = table();

    private UnitProperties() {}

    public static void describe(BusInterface.Builder builder, Subject subject) {
        TABLE.describe(builder, subject);
    }

    public static Map<String, Variant> changing(Subject subject) {
        return TABLE.changing(subject);
    }

    private static PropertyTable<Subject> table() {
        PropertyTable<Subject> table = new PropertyTable<>();
        addNames(table);
        addState(table);
        addFiles(table);
        addDependencies(table);
        addSettings(table);
        return table;
    }

    private static void addNames(PropertyTable<Subject> table) {
        table.fixed("Id", "s", unit -> unit.view.unit().name().text())
                .fixed("Names", "as", unit -> texts(unit.view.unit().source().names()))
                .fixed("Following", "s", _ -> "")
                .settable(
                        "Description",
                        SettableProperty.text("Description").asLive(),
                        unit -> unit.section().description())
                .settable(
                        "AddRef",
                        new SettableProperty("b", (unit, _, value) -> unit.refer((Boolean) value)))
                .settable(
                        "Documentation",
                        SettableProperty.words("Documentation"),
                        unit -> unit.section().documentation());
    }

    private static List<?> activationDetails(Subject unit) {
        return unit.manager().triggerVariables(unit.view().unit()).entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(each -> List.of(each.getKey().toLowerCase(Locale.ROOT), each.getValue()))
                .toList();
    }

    private static void addState(PropertyTable<Subject> table) {
        table.fixed("LoadState", "s", unit -> unit.view.status().loadState())
                .fixed("LoadError", "(ss)", UnitProperties::loadError)
                .changing("ActiveState", "s", unit -> unit.view.status().activeState().word())
                .changing("SubState", "s", unit -> unit.view.status().subState())
                .changing("FreezerState", "s", _ -> "running")
                .changing("Job", "(uo)", UnitProperties::job)
                .changing(
                        "InvocationID",
                        "ay",
                        unit -> HexFormat.of().parseHex(unit.view.status().invocationId()));
        addTime(table, "StateChange", UnitTimes::stateChange);
        addTime(table, "InactiveExit", UnitTimes::inactiveExit);
        addTime(table, "ActiveEnter", UnitTimes::activeEnter);
        addTime(table, "ActiveExit", UnitTimes::activeExit);
        addTime(table, "InactiveEnter", UnitTimes::inactiveEnter);
        table.changing("ConditionResult", "b", unit -> unit.view.checks().conditions())
                .changing("AssertResult", "b", unit -> unit.view.checks().assertions())
                .settable("Conditions", conditions("Condition"))
                .settable("Asserts", conditions("Assert"))
                .unsignalled(
                        "Conditions",
                        "a(sbbsi)",
                        unit -> conditions("Condition", unit, unit.section().conditions()))
                .unsignalled(
                        "Asserts",
                        "a(sbbsi)",
                        unit -> conditions("Assert", unit, unit.section().assertions()));
        PropertyTimes.add(table, "Condition", unit -> unit.view.checks().at(), true);
        PropertyTimes.add(table, "Assert", unit -> unit.view.checks().assertionsAt(), true);
        table.unsignalled("CanStart", "b", unit -> canStart(unit))
                .unsignalled("CanStop", "b", unit -> canStop(unit))
                .unsignalled("CanReload", "b", unit -> unit.view.unit().canReload())
                .unsignalled("CanIsolate", "b", unit -> canIsolate(unit))
                .unsignalled("CanFreeze", "b", _ -> false)
                .unsignalled("CanClean", "as", _ -> List.of());
    }

    private static List<?> loadError(Subject unit) {
        return switch (unit.view.status().loadState()) {
            case "not-found" ->
                    List.of(
                            Names.SERVICE + "." + Errors.NO_SUCH_UNIT,
                            "Unit " + unit.view.unit().name() + " not found.");
            case "masked" ->
                    List.of(
                            Names.SERVICE + ".UnitMasked",
                            "Unit " + unit.view.unit().name() + " is masked.");
            case "bad-setting" ->
                    List.of(
                            Names.SERVICE + ".BadUnitSetting",
                            "Unit " + unit.view.unit().name() + " has a bad unit file setting.");
            case "error" ->
                    List.of(
                            DBusException.INVALID_ARGS,
                            "Unit "
                                    + unit.view.unit().name()
                                    + " "
                                    + unit.view.unit().unreadable().orElse(""));
            default -> List.of("", "");
        };
    }

    private static List<?> job(Subject unit) {
        long id = unit.view.job().map(job -> job.id()).orElse(0L);
        return List.of(id, Names.jobPath(id));
    }

    private static void addTime(
            PropertyTable<Subject> table, String name, Function<UnitTimes, DualTimestamp> time) {
        PropertyTimes.add(table, name, unit -> time.apply(unit.view.times()), true);
    }

    private static boolean canStart(Subject unit) {
        boolean wasStarted = !unit.view.times().inactiveExit().equals(DualTimestamp.NEVER);
        boolean startsOnce = unit.view.unit().name().type().startsOnce();
        return isLoaded(unit) && !unit.section().refuseManualStart() && !(startsOnce && wasStarted);
    }

    private static boolean canStop(Subject unit) {
        return isLoaded(unit)
                && unit.view.unit().name().type().mayStop()
                && !unit.section().refuseManualStop();
    }

    private static boolean canIsolate(Subject unit) {
        return unit.section().jobs().allowIsolate() && !unit.section().refuseManualStart();
    }

    private static boolean isLoaded(Subject unit) {
        return unit.view.unit().source().state() == UnitSource.State.LOADED;
    }

    private static void addFiles(PropertyTable<Subject> table) {
        table.fixed("FragmentPath", "s", UnitProperties::fragment)
                .settable(
                        "SourcePath",
                        SettableProperty.text("SourcePath"),
                        unit -> unit.section().sourcePath().orElse(""))
                .fixed(
                        "DropInPaths",
                        "as",
                        unit ->
                                unit.view.unit().source().dropIns().stream()
                                        .map(Path::toString)
                                        .toList())
                .unsignalled("UnitFileState", "s", unit -> unit.files.state())
                .unsignalled("UnitFilePreset", "s", unit -> unit.files.preset())
                .unsignalled("NeedDaemonReload", "b", unit -> unit.files.changed())
                .fixed("Transient", "b", unit -> unit.files.state().equals("transient"))
                .fixed("Perpetual", "b", unit -> unit.view.perpetual());
    }

    private static String fragment(Subject unit) {
        UnitSource source = unit.view.unit().source();
        return source.fragment().map(Path::toString).orElse("");
    }

    private static void addDependencies(PropertyTable<Subject> table) {
        for (Dependency kind : Dependency.values()) {
            Function<Subject, ?> value = unit -> texts(unit.section().dependencies().of(kind));
            table.settable(kind.directive(), SettableProperty.units(kind.directive()), value);
        }
        inverse(table, "RequiredBy", Dependency.REQUIRES);
        inverse(table, "RequisiteOf", Dependency.REQUISITE);
        inverse(table, "WantedBy", Dependency.WANTS);
        inverse(table, "BoundBy", Dependency.BINDS_TO);
        inverse(table, "ConsistsOf", Dependency.PART_OF);
        inverse(table, "UpheldBy", Dependency.UPHOLDS);
        inverse(table, "ConflictedBy", Dependency.CONFLICTS);
        inverse(table, "OnFailureOf", Dependency.ON_FAILURE);
        inverse(table, "OnSuccessOf", Dependency.ON_SUCCESS);
        table.unsignalled("Triggers", "as", unit -> texts(triggers(unit.view)))
                .unsignalled(
                        "TriggeredBy",
                        "as",
                        unit -> texts(unit.manager.triggeredBy(unit.view.unit())));
        table.unsignalled(
                UnitDescription.MARKERS,
                "as",
                unit -> UnitMarker.words(unit.manager.markers(unit.view.unit().name())));
        for (String none : List.of("SliceOf", "Refs")) {
            table.fixed(none, "as", _ -> List.of());
        }
        table.settable(
                        "RequiresMountsFor",
                        SettableProperty.paths("RequiresMountsFor"),
                        unit -> unit.section().requiresMountsFor())
                .settable(
                        "WantsMountsFor",
                        SettableProperty.paths("WantsMountsFor"),
                        unit -> unit.section().wantsMountsFor());
    }

    private static List<UnitName> triggers(UnitView view) {
        return view.typed()
                .flatMap(UnitDetails::triggered)
                .orElseGet(() -> List.copyOf(view.unit().triggers()));
    }

    private static void inverse(PropertyTable<Subject> table, String name, Dependency kind) {
        table.unsignalled(
                name, "as", unit -> texts(unit.manager.dependants(kind, unit.view.unit().name())));
    }

    private static void addSettings(PropertyTable<Subject> table) {
        table.settable(
                        "CollectMode",
                        SettableProperty.word("CollectMode", CollectMode.values()),
                        unit -> unit.section().collectsFailed() ? "inactive-or-failed" : "inactive")
                .settable(
                        "StartLimitIntervalUSec",
                        SettableProperty.time("StartLimitIntervalSec"),
                        unit -> Micros.of(unit.section().startLimit().interval()))
                .settable(
                        "StartLimitBurst",
                        SettableProperty.number("u", "StartLimitBurst"),
                        unit -> unit.section().startLimit().burst())
                .settable(
                        "JobTimeoutUSec",
                        SettableProperty.time("JobTimeoutSec"),
                        unit -> Micros.of(unit.section().jobs().timeout()))
                .settable(
                        "JobRunningTimeoutUSec",
                        SettableProperty.time("JobRunningTimeoutSec"),
                        unit -> Micros.of(unit.section().jobs().runningTimeout()));
        action(table, "StartLimitAction", EndSettings::startLimitAction);
        action(table, "SuccessAction", EndSettings::successAction);
        action(table, "FailureAction", EndSettings::failureAction);
        action(table, "JobTimeoutAction", EndSettings::jobTimeoutAction);
        table.settable("SuccessActionExitStatus", exitStatus("SuccessActionExitStatus"))
                .settable("FailureActionExitStatus", exitStatus("FailureActionExitStatus"))
                .settable(
                        "OnSuccessJobMode",
                        SettableProperty.word("OnSuccessJobMode", HandlerMode.values()),
                        unit -> word(unit.section().ends().onSuccessMode()))
                .settable(
                        "OnFailureJobMode",
                        SettableProperty.word("OnFailureJobMode", HandlerMode.values()),
                        unit -> word(unit.section().ends().onFailureMode()));
        flag(table, "StopWhenUnneeded", unit -> unit.ends().stopWhenUnneeded());
        flag(table, "RefuseManualStart", UnitSection::refuseManualStart);
        flag(table, "RefuseManualStop", UnitSection::refuseManualStop);
        flag(table, "AllowIsolate", unit -> unit.jobs().allowIsolate());
        flag(table, "DefaultDependencies", UnitSection::defaultDependencies);
        flag(table, "IgnoreOnIsolate", unit -> unit.jobs().ignoreOnIsolate());
        table.unsignalled("ActivationDetails", "a(ss)", UnitProperties::activationDetails);
    }

    private static void action(
            PropertyTable<Subject> table,
            String name,
            Function<EndSettings, EmergencyAction> action) {
        table.settable(
                name,
                SettableProperty.word(name, EmergencyAction.values()),
                unit -> word(action.apply(unit.section().ends())));
    }

    /** Makes a property with an exit status; -1 stands for none. */
    private static SettableProperty exitStatus(String directive) {
        return new SettableProperty(
                "i",
                (unit, section, value) ->
                        unit.line(
                                section, directive, (Integer) value == -1 ? "" : value.toString()));
    }

    /**
     * Makes a property of conditions: name, whether it is a trigger, whether negated, parameter.
     */
    private static SettableProperty conditions(String prefix) {
        return new SettableProperty(
                "a(sbbs)",
                (unit, section, value) -> {
                    if (((List<?>) value).isEmpty()) {
                        unit.line(section, prefix + "PathExists", "");
                    }
                    for (Object each : (List<?>) value) {
                        Struct one = (Struct) each;
                        String name = (String) one.get(0);
                        boolean known =
                                name.startsWith(prefix)
                                        && ConditionTable.names()
                                                .contains(name.substring(prefix.length()));
                        if (!known) {
                            throw Errors.invalid("Invalid condition type: " + name);
                        }
                        String parameter = (String) one.get(3);
                        if (parameter.startsWith("|") || parameter.startsWith("!")) {
                            throw SettableProperty.invalid(name, parameter);
                        }
                        unit.literal(
                                section,
                                name,
                                ((Boolean) one.get(1) ? "|" : "")
                                        + ((Boolean) one.get(2) ? "!" : "")
                                        + parameter);
                    }
                });
    }

    private static void flag(
            PropertyTable<Subject> table, String name, Predicate<UnitSection> value) {
        table.settable(name, SettableProperty.bool(name), unit -> value.test(unit.section()));
    }

    private enum CollectMode {
        INACTIVE,
        INACTIVE_OR_FAILED
    }

    /**
     * Returns the conditions, each with 1 if it was met at the last check, -1 if not, and 0 if it
     * was not checked.
     */
    private static List<?> conditions(String prefix, Subject unit, List<Condition> conditions) {
        Map<Condition, Boolean> held = unit.view.checks().held();
        return conditions.stream()
                .map(one ->
                        List.of(
                                prefix + one.kind(),
                                one.trigger(),
                                one.negated(),
                                one.parameter(),
                                held.containsKey(one) ? held.get(one) ? 1 : -1 : 0))
                .toList();
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    static List<String> texts(Iterable<UnitName> names) {
        List<String> texts = new ArrayList<>();
        names.forEach(name -> texts.add(name.text()));
        return texts;
    }
}
