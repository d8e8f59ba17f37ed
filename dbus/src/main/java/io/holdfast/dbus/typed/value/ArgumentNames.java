package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.marshal.Syntax;

/** The names of arguments in introspection data. */
public final class ArgumentNames {
    private ArgumentNames() {}

    /** Returns the Java name if it is valid in D-Bus, else {@code argN}. */
    public static String of(String name, int index) {
        return Syntax.isMember(name) ? name : "arg" + index;
    }
}
