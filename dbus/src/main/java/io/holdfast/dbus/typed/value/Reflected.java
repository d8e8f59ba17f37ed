package io.holdfast.dbus.typed.value;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.jspecify.annotations.Nullable;

/** Reflective access to the interfaces, records and methods of other modules. */
public final class Reflected {
    private Reflected() {}

    /**
     * Checks that this module may access a type.
     *
     * @throws IllegalArgumentException if the type is not public, or its package is not exported
     */
    public static void requireAccessible(Class<?> type) {
        if (!Modifier.isPublic(type.getModifiers())) {
            throw new IllegalArgumentException(type.getName() + " is not public");
        }
        Module own = Reflected.class.getModule();
        if (!type.getModule().isExported(type.getPackageName(), own)) {
            throw new IllegalArgumentException(
                    "%s is in a package that its module does not export: it needs \"exports %s;\""
                            .formatted(type.getName(), type.getPackageName()));
        }
    }

    /** Calls a method; a checked exception of it becomes an IllegalStateException. */
    public static @Nullable Object invoke(Method method, Object target, Object... arguments) {
        try {
            return call(method, target, arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** Calls a method and passes its exceptions on. */
    public static @Nullable Object call(Method method, Object target, Object... arguments)
            throws Exception {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }
}
