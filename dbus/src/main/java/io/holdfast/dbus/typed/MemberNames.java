package io.holdfast.dbus.typed;

import io.holdfast.dbus.marshal.Syntax;
import java.lang.reflect.Method;
import java.util.Locale;

/**
 * The D-Bus names of interfaces and their members. Every method throws IllegalArgumentException for
 * a name that is not valid in D-Bus.
 */
final class MemberNames {
    private MemberNames() {}

    static String ofInterface(Class<?> type) {
        DBusName given = type.getAnnotation(DBusName.class);
        String name = given == null ? String.valueOf(type.getCanonicalName()) : given.value();
        if (!Syntax.isInterface(name)) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" is not a D-Bus interface name: set it with @DBusName");
        }
        return name;
    }

    static String ofMethod(Method method) {
        DBusName given = method.getAnnotation(DBusName.class);
        return member(given == null ? capital(method.getName()) : given.value());
    }

    static String ofSignal(Class<?> type) {
        DBusName given = type.getAnnotation(DBusName.class);
        return member(given == null ? capital(type.getSimpleName()) : given.value());
    }

    /** Returns the name of an enum constant, which may be any text. */
    static String ofConstant(Enum<?> constant) {
        try {
            DBusName given =
                    constant.getDeclaringClass()
                            .getField(constant.name())
                            .getAnnotation(DBusName.class);
            return given == null ? constant.name() : given.value();
        } catch (NoSuchFieldException e) {
            throw new AssertionError(e);
        }
    }

    private static String member(String name) {
        if (!Syntax.isMember(name)) {
            throw new IllegalArgumentException(
                    "\"" + name + "\" is not a D-Bus member name: set it with @DBusName");
        }
        return name;
    }

    private static String capital(String name) {
        return name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    }
}
