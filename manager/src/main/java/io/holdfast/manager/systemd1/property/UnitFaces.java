package io.holdfast.manager.systemd1.property;

import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.UnitType;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.Function;

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
    }

    private static final Map<UnitType, Face<?>> ROWS = new EnumMap<>(UnitType.class);

    static {
        ROWS.put(
                UnitType.SERVICE,
                new Face<>(ServiceProperties.TABLE, ServiceProperties.Service::of));
        ROWS.put(UnitType.SOCKET, new Face<>(SocketProperties.TABLE, SocketProperties.Socket::of));
        ROWS.put(UnitType.SCOPE, new Face<>(ScopeProperties.TABLE, ScopeProperties.Scope::of));
        ROWS.put(UnitType.SLICE, new Face<>(SliceProperties.TABLE, subject -> subject));
    }

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

    private static UnitType type(Subject subject) {
        return subject.view().unit().name().type();
    }
}
