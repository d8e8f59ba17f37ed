package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.UnitType;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The registry of the properties that each type of unit has in addition to those of all units. */
public final class UnitFaces {
    /** One type: the properties of its interface, and the object that they are computed from. */
    private record Face<T>(PropertyTable<T> table, Function<Subject, T> part) {
        void describe(BusInterface.Builder builder, Subject subject) {
            table.describe(builder, part.apply(subject));
        }

        Map<String, Variant> changing(Subject subject) {
            return table.changing(part.apply(subject));
        }

        Map<String, Variant> values(Subject subject) {
            return table.values(part.apply(subject));
        }
    }

    private static final Map<UnitType, Face<?>> ROWS =
            Map.ofEntries(
                    Map.entry(
                            UnitType.SERVICE,
                            new Face<>(ServiceProperties.TABLE, ServiceProperties.Service::of)),
                    Map.entry(
                            UnitType.SOCKET,
                            new Face<>(SocketProperties.TABLE, SocketProperties.Socket::of)),
                    Map.entry(
                            UnitType.TIMER,
                            new Face<>(TimerProperties.TABLE, TimerProperties.Timer::of)),
                    Map.entry(UnitType.PATH, new Face<>(PathProperties.TABLE, subject -> subject)),
                    Map.entry(
                            UnitType.MOUNT, new Face<>(MountProperties.TABLE, subject -> subject)),
                    Map.entry(
                            UnitType.SCOPE, new Face<>(ScopeProperties.TABLE, subject -> subject)),
                    Map.entry(
                            UnitType.SLICE, new Face<>(SliceProperties.TABLE, subject -> subject)),
                    Map.entry(
                            UnitType.AUTOMOUNT,
                            new Face<>(AutomountProperties.TABLE, subject -> subject)),
                    Map.entry(UnitType.SWAP, new Face<>(SwapProperties.TABLE, subject -> subject)),
                    Map.entry(
                            UnitType.DEVICE,
                            new Face<>(DeviceProperties.TABLE, subject -> subject)));

    private UnitFaces() {}

    /** Adds the properties of the interface of its type. */
    public static void describe(BusInterface.Builder builder, Subject subject) {
        Face<?> face = ROWS.get(type(subject));
        if (face != null) {
            face.describe(builder, subject);
        }
    }

    /** Returns the values of those properties whose changes are signalled. */
    public static Map<String, Variant> changing(Subject subject) {
        Face<?> face = ROWS.get(type(subject));
        return face == null ? Map.of() : face.changing(subject);
    }

    /** Returns the values of all properties of a unit: those of all units, and of its type. */
    public static Map<String, Variant> values(Subject subject) {
        Map<String, Variant> values = new HashMap<>(UnitProperties.TABLE.values(subject));
        Face<?> face = ROWS.get(type(subject));
        if (face != null) {
            values.putAll(face.values(subject));
        }
        return values;
    }

    /**
     * Returns all properties that can be set for a type of unit, by name, with their D-Bus types.
     */
    public static Map<String, String> settable(UnitType type) {
        Map<String, String> all = new TreeMap<>();
        UnitProperties.TABLE.settable().forEach((name, row) -> all.put(name, row.type()));
        Face<?> face = ROWS.get(type);
        if (face != null) {
            face.table().settable().forEach((name, row) -> all.put(name, row.type()));
        }
        return all;
    }

    /** Returns how a property of a type's own interface is set; null if it cannot be set. */
    static @Nullable SettableProperty settable(UnitType type, String name) {
        Face<?> face = ROWS.get(type);
        return face == null ? null : face.table().settable(name);
    }

    private static UnitType type(Subject subject) {
        return subject.view().unit().name().type();
    }
}
