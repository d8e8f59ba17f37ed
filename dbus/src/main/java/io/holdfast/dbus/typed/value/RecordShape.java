package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.wire.Signature;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The components of a record, to take records apart and to make them: for a struct, several
 * outputs, or the arguments of a signal.
 *
 * @param constructor the canonical constructor
 * @param components the components in their order
 */
public record RecordShape(Class<?> type, Constructor<?> constructor, List<Component> components) {
    /**
     * A component of a record.
     *
     * @param type the type of its values
     * @param accessor the method that reads it
     */
    public record Component(String name, WireType type, Method accessor) {}

    /** Returns the D-Bus types of all components. */
    public String signature() {
        StringBuilder types = new StringBuilder();
        components.forEach(component -> types.append(component.type().signature()));
        return types.toString();
    }

    /** Returns the D-Bus names of all components. */
    public List<String> names() {
        List<String> names = new ArrayList<>();
        for (Component component : components) {
            names.add(ArgumentNames.of(component.name(), names.size()));
        }
        return names;
    }

    /**
     * Converts the components of a record to plain values.
     *
     * @throws UnfitException if a component does not fit its type
     */
    public List<Object> toWire(Object record) {
        List<Object> plain = new ArrayList<>(components.size());
        for (Component component : components) {
            Object value = Reflected.invoke(component.accessor(), record);
            try {
                plain.add(component.type().toWire(value));
            } catch (UnfitException e) {
                throw e.in("component " + component.name());
            }
        }
        return plain;
    }

    /**
     * Makes the record of plain values, which are of {@link #signature()}.
     *
     * @throws UnfitException if a value does not fit its component, or the record's constructor
     *     throws an exception
     */
    public Object toJava(List<Object> plain, Descriptors descriptors) {
        Object[] values = new Object[components.size()];
        for (int i = 0; i < values.length; i++) {
            Component component = components.get(i);
            try {
                values[i] = component.type().toJava(plain.get(i), descriptors);
            } catch (UnfitException e) {
                throw e.in("component " + component.name());
            }
        }
        try {
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            String why = e.getCause() == null ? null : e.getCause().getMessage();
            throw new UnfitException(
                    "is refused by " + type.getSimpleName() + (why == null ? "" : ": " + why));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(type + " is not accessible any more", e);
        }
    }

    /** Closes the descriptors in a record, as {@link WireType#discard} does. */
    public void discard(@Nullable Object record) {
        if (record != null && type.isInstance(record)) {
            components.forEach(component -> discard(component, record));
        }
    }

    private static void discard(Component component, Object record) {
        Object value;
        try {
            value = Reflected.invoke(component.accessor(), record);
        } catch (RuntimeException | Error e) { // the accessor returned no descriptor
            return;
        }
        component.type().discard(value);
    }

    /** Returns the signature, or throws if it exceeds the limits of D-Bus. */
    public Signature checkedSignature() {
        return Signature.of(signature());
    }
}
