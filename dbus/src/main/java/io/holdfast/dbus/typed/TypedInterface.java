package io.holdfast.dbus.typed;

import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A Java interface as a D-Bus interface: checked and resolved once. Immutable, safe for use by any
 * thread.
 */
final class TypedInterface {
    private static final ClassValue<TypedInterface> KNOWN =
            new ClassValue<>() {
                @Override
                protected TypedInterface computeValue(Class<?> type) {
                    return new InterfaceReader(type).read();
                }
            };

    private final Class<?> type;
    private final String name;
    private final List<TypedMethod> methods;
    private final List<TypedProperty> properties;
    private final List<TypedSignal> signals;
    private final Map<Method, TypedMethod> byMethod = new HashMap<>();
    private final Map<Method, TypedProperty> byAccessor = new HashMap<>();

    TypedInterface(
            Class<?> type,
            String name,
            List<TypedMethod> methods,
            List<TypedProperty> properties,
            List<TypedSignal> signals) {
        this.type = type;
        this.name = name;
        this.methods = List.copyOf(methods);
        this.properties = List.copyOf(properties);
        this.signals = List.copyOf(signals);
        for (TypedMethod method : methods) {
            byMethod.put(method.method(), method);
        }
        for (TypedProperty property : properties) {
            if (property.reader() != null) {
                byAccessor.put(property.reader(), property);
            }
            if (property.writer() != null) {
                byAccessor.put(property.writer(), property);
            }
        }
    }

    /**
     * Returns the D-Bus interface of a Java interface.
     *
     * @throws IllegalArgumentException if the Java interface is no valid D-Bus interface, with the
     *     reason
     */
    static TypedInterface of(Class<?> type) {
        return KNOWN.get(type);
    }

    Class<?> type() {
        return type;
    }

    /** The D-Bus name of the interface. */
    String name() {
        return name;
    }

    /** The methods, in the order of their D-Bus names. */
    List<TypedMethod> methods() {
        return methods;
    }

    /** The properties, in the order of their D-Bus names. */
    List<TypedProperty> properties() {
        return properties;
    }

    /** The signals, in the order of their D-Bus names. */
    List<TypedSignal> signals() {
        return signals;
    }

    /** Returns the D-Bus method of a Java method; null if that is an accessor. */
    @Nullable TypedMethod method(Method method) {
        return byMethod.get(method);
    }

    /** Returns the property that a Java method reads or sets; null if it is no accessor. */
    @Nullable TypedProperty property(Method accessor) {
        return byAccessor.get(accessor);
    }
}
