package io.holdfast.dbus.typed.value;

import io.holdfast.dbus.wire.Syntax;

/** Under which names arguments are introspected. */
public final class ArgumentNames {
    private ArgumentNames() {}

    /** The name in Java, if D-Bus can have it, else {@code argN}. */
    public static String of(String name, int index) {
        return Syntax.isMember(name) ? name : "arg" + index;
    }
}
