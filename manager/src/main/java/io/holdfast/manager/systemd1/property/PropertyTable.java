package io.holdfast.manager.systemd1.property;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.BusInterface.Change;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The properties of an interface, each computed from a view of the object, and those that a caller
 * may set for a unit made at run time. Built once.
 */
public final class PropertyTable<T> {
    private record Property<T>(String name, Signature type, Function<T, ?> value, Change change) {}

    private final List<Property<T>> properties = new ArrayList<>();
    private final Map<String, SettableProperty> settable = new HashMap<>();

    /** Adds a property whose changes are signalled. */
    @CanIgnoreReturnValue
    public PropertyTable<T> changing(String name, String type, Function<T, ?> value) {
        properties.add(new Property<>(name, Signature.of(type), value, Change.VALUE));
        return this;
    }

    /** Adds a property that is constant for as long as the unit's files are unchanged. */
    @CanIgnoreReturnValue
    public PropertyTable<T> fixed(String name, String type, Function<T, ?> value) {
        properties.add(new Property<>(name, Signature.of(type), value, Change.CONSTANT));
        return this;
    }

    /** Adds a property that is constant like {@link #fixed}, and can be set. */
    @CanIgnoreReturnValue
    PropertyTable<T> settable(String name, SettableProperty setting, Function<T, ?> value) {
        settable(name, setting);
        return fixed(name, setting.type(), value);
    }

    /** Makes a property settable that is shown in another way, or not at all. */
    @CanIgnoreReturnValue
    PropertyTable<T> settable(String name, SettableProperty setting) {
        settable.put(name, setting);
        return this;
    }

    /** Returns how a property is set; null if it cannot be set. */
    @Nullable SettableProperty settable(String name) {
        return settable.get(name);
    }

    /** Returns all properties that can be set, by name. */
    Map<String, SettableProperty> settable() {
        return Map.copyOf(settable);
    }

    /** Adds a property that changes without a signal. */
    @CanIgnoreReturnValue
    PropertyTable<T> unsignalled(String name, String type, Function<T, ?> value) {
        properties.add(new Property<>(name, Signature.of(type), value, Change.SILENT));
        return this;
    }

    /** Adds the properties to an interface, with the values of this view. */
    public void describe(BusInterface.Builder builder, T view) {
        for (Property<T> property : properties) {
            builder.property(
                    property.name(),
                    property.type().toString(),
                    () -> property.value().apply(view),
                    null,
                    property.change());
        }
    }

    /** Returns the values of all properties. */
    public Map<String, Variant> values(T view) {
        return values(view, _ -> true);
    }

    /** Returns the values of the properties whose changes are signalled. */
    public Map<String, Variant> changing(T view) {
        return values(view, change -> change == Change.VALUE);
    }

    private Map<String, Variant> values(T view, Predicate<Change> chosen) {
        Map<String, Variant> values = new LinkedHashMap<>();
        for (Property<T> property : properties) {
            if (chosen.test(property.change())) {
                values.put(
                        property.name(),
                        new Variant(property.type(), property.value().apply(view)));
            }
        }
        return values;
    }
}
