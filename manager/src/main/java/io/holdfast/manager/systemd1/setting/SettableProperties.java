package io.holdfast.manager.systemd1.setting;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.property.Errors;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The properties that a caller may set for a unit made at run time, and the directives that they
 * stand for: one table for all units, and one for each type. Only properties that have an effect
 * are listed; every other property is refused by name, since the caller would not read a warning in
 * the unit's log.
 *
 * <p>A further type of unit that can be made at run time gets a table here.
 */
public final class SettableProperties {
    private static final String UNIT = "Unit";
    private static final long UNLIMITED = -1; // UINT64_MAX

    private static final Map<String, SettableProperty> OF_ALL = ofAll();
    private static final Map<UnitType, Map<String, SettableProperty>> OF_TYPE =
            new EnumMap<>(Map.of(UnitType.SCOPE, ofScope()));

    private SettableProperties() {}

    /** Returns whether this manager makes units of a type at run time. */
    public static boolean isOffered(UnitType type) {
        return OF_TYPE.containsKey(type);
    }

    /**
     * Reads the properties of a unit.
     *
     * @param properties each a {@link Struct} of a name and a {@link Variant}
     * @throws DBusException with systemd's text, if one of them cannot be set
     */
    public static UnitDescription describe(UnitType type, List<?> properties) {
        Map<String, SettableProperty> own = OF_TYPE.getOrDefault(type, Map.of());
        UnitDescription unit = new UnitDescription();
        for (Object each : properties) {
            Struct property = (Struct) each;
            String name = (String) property.members().get(0);
            SettableProperty known = own.getOrDefault(name, OF_ALL.get(name));
            if (known == null) {
                throw readOnly(name);
            }
            known.set(unit, (Variant) property.members().get(1));
        }
        return unit;
    }

    private static DBusException readOnly(String property) {
        return new DBusException(
                DBusException.PROPERTY_READ_ONLY,
                "Cannot set property " + property + ", or unknown property.");
    }

    private static Map<String, SettableProperty> ofAll() {
        Map<String, SettableProperty> all = new HashMap<>();
        all.put("Description", SettableProperty.text(UNIT, "Description"));
        for (Dependency kind : Dependency.values()) {
            if (kind != Dependency.JOINS_NAMESPACE_OF) { // not applied
                all.put(kind.directive(), SettableProperty.units(UNIT, kind.directive()));
            }
        }
        for (String name :
                List.of(
                        "DefaultDependencies",
                        "StopWhenUnneeded",
                        "RefuseManualStart",
                        "RefuseManualStop",
                        "AllowIsolate",
                        "IgnoreOnIsolate")) {
            all.put(name, SettableProperty.bool(UNIT, name));
        }
        all.put("JobTimeoutUSec", SettableProperty.time(UNIT, "JobTimeoutSec"));
        all.put("JobRunningTimeoutUSec", SettableProperty.time(UNIT, "JobRunningTimeoutSec"));
        all.put("CollectMode", SettableProperty.word(UNIT, "CollectMode", CollectMode.values()));
        all.put("RequiresMountsFor", SettableProperty.paths(UNIT, "RequiresMountsFor"));
        all.put(
                "AddRef",
                new SettableProperty(
                        "b",
                        (unit, value) -> {
                            if (Boolean.TRUE.equals(value)) {
                                unit.refer();
                            }
                        }));
        return all;
    }

    private enum CollectMode {
        INACTIVE,
        INACTIVE_OR_FAILED
    }

    private static Map<String, SettableProperty> ofScope() {
        String section = UnitType.SCOPE.section();
        Map<String, SettableProperty> scope = new HashMap<>();
        addCgroup(scope, section);
        addKill(scope, section);
        scope.put("TimeoutStopUSec", SettableProperty.time(section, "TimeoutStopSec"));
        scope.put("RuntimeMaxUSec", SettableProperty.time(section, "RuntimeMaxSec"));
        scope.put(
                "RuntimeRandomizedExtraUSec",
                SettableProperty.time(section, "RuntimeRandomizedExtraSec"));
        scope.put("PIDs", new SettableProperty("au", SettableProperties::pids));
        scope.put("PIDFDs", new SettableProperty("ah", SettableProperties::pidfds));
        scope.put("Controller", new SettableProperty("s", SettableProperties::controller));
        return scope;
    }

    private static void addCgroup(Map<String, SettableProperty> table, String section) {
        table.put("Slice", SettableProperty.slice(section, "Slice"));
        table.put("OOMPolicy", SettableProperty.word(section, "OOMPolicy", OomPolicy.values()));
        table.put("TasksMax", new SettableProperty("t", SettableProperties::tasksMax));
    }

    private static void addKill(Map<String, SettableProperty> table, String section) {
        table.put("KillMode", SettableProperty.word(section, "KillMode", KillMode.values()));
        for (String name :
                List.of("KillSignal", "RestartKillSignal", "FinalKillSignal", "WatchdogSignal")) {
            table.put(name, SettableProperty.signal(section, name));
        }
        table.put("SendSIGKILL", SettableProperty.bool(section, "SendSIGKILL"));
        table.put("SendSIGHUP", SettableProperty.bool(section, "SendSIGHUP"));
    }

    /** Accepts that the number of tasks is not limited, as systemd-logind sets for its sessions. */
    private static void tasksMax(UnitDescription unit, Object value) {
        if ((Long) value != UNLIMITED) {
            throw readOnly("TasksMax");
        }
    }

    private static void pids(UnitDescription unit, Object value) {
        requireAny((List<?>) value).forEach(pid -> unit.process((Long) pid));
    }

    private static void pidfds(UnitDescription unit, Object value) {
        requireAny((List<?>) value).forEach(handle -> unit.process((Handle) handle));
    }

    private static List<?> requireAny(List<?> values) {
        if (values.isEmpty()) {
            throw Errors.invalid("Failed to set unit properties: Invalid argument");
        }
        return values;
    }

    /**
     * Refuses a controller, which systemd would ask to stop the scope. Here scopes always get their
     * signals at once.
     */
    private static void controller(UnitDescription unit, Object value) {
        if (!value.equals("")) {
            throw new DBusException(
                    DBusException.NOT_SUPPORTED,
                    "Controllers of scopes are not supported by this manager.");
        }
    }
}
