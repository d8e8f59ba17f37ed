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
     * The D-Bus interface that a Java interface is.
     *
     * @throws IllegalArgumentException if it can be none, and why
     */
    static TypedInterface of(Class<?> type) {
        return KNOWN.get(type);
    }

    Class<?> type() {
        return type;
    }

    /** Its D-Bus name. */
    String name() {
        return name;
    }

    /** By their D-Bus names. */
    List<TypedMethod> methods() {
        return methods;
    }

    /** By their D-Bus names. */
    List<TypedProperty> properties() {
        return properties;
    }

    /** By their D-Bus names. */
    List<TypedSignal> signals() {
        return signals;
    }

    /** What a Java method is; null if it is an accessor. */
    @Nullable TypedMethod method(Method method) {
        return byMethod.get(method);
    }

    /** The property that a Java method reads or sets; null if it is none. */
    @Nullable TypedProperty property(Method accessor) {
        return byAccessor.get(accessor);
    }
}
