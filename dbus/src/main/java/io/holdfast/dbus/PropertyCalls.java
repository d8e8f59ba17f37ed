package io.holdfast.dbus;

import io.holdfast.dbus.wire.Variant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Answers {@code org.freedesktop.DBus.Properties} for exported objects. */
final class PropertyCalls {
    private PropertyCalls() {}

    static @Nullable CallTarget of(ExportedObject object, String member) {
        return switch (member) {
            case "Get" ->
                    CallTarget.of(
                            object,
                            "ss",
                            "v",
                            call -> List.of(ExportedObject.value(property(object, call))));
            case "GetAll" ->
                    CallTarget.of(
                            object, "s", "a{sv}", call -> List.of(all(object, call.string(0))));
            case "Set" ->
                    CallTarget.of(
                            object,
                            "ssv",
                            "",
                            call -> {
                                set(object, call);
                                return List.of();
                            });
            default -> null;
        };
    }

    /** Returns the interfaces that a call names; an empty name means all. */
    private static List<BusInterface> named(ExportedObject object, String interfaceName) {
        if (interfaceName.isEmpty()) {
            return List.copyOf(object.interfaces().values());
        }
        BusInterface described = object.interfaces().get(interfaceName);
        if (described == null && !object.standard().contains(interfaceName)) {
            throw new DBusException(
                    DBusException.UNKNOWN_INTERFACE,
                    object.path() + " has no interface \"" + interfaceName + "\"");
        }
        return described == null ? List.of() : List.of(described);
    }

    private static BusInterface owner(ExportedObject object, MethodCall call) {
        for (BusInterface described : named(object, call.string(0))) {
            if (described.properties().containsKey(call.string(1))) {
                return described;
            }
        }
        throw new DBusException(
                DBusException.UNKNOWN_PROPERTY,
                "%s has no property \"%s\"".formatted(call.string(0), call.string(1)));
    }

    private static BusInterface.Property property(ExportedObject object, MethodCall call) {
        return Objects.requireNonNull(owner(object, call).properties().get(call.string(1)));
    }

    private static Map<String, Object> all(ExportedObject object, String interfaceName) {
        Map<String, Object> values = new LinkedHashMap<>();
        named(object, interfaceName).forEach(i -> values.putAll(ExportedObject.values(i)));
        return values;
    }

    private static void set(ExportedObject object, MethodCall call) throws InterruptedException {
        BusInterface.Property property = property(object, call);
        Variant value = call.argument(2, Variant.class);
        if (property.writer() == null) {
            throw new DBusException(
                    DBusException.PROPERTY_READ_ONLY, property.name() + " can only be read");
        }
        if (!value.type().equals(property.type())) {
            throw new DBusException(
                    DBusException.INVALID_ARGS,
                    "%s is of type \"%s\" and not \"%s\""
                            .formatted(property.name(), property.type(), value.type()));
        }
        if (object.executor() != null) { // refuse the call before the property is changed
            call.counted().requireRoom(call.message().length());
        }
        property.writer().accept(value.value());
        object.changedByCaller(owner(object, call).name(), property.name(), call.counted());
    }
}
