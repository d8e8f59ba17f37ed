package io.holdfast.varlink.idl.tree;

import java.util.regex.Pattern;

/** The syntax of names in an interface definition. */
public final class IdlNames {
    /** At least two labels joined by dots; dashes only single, and not at the ends. */
    private static final Pattern INTERFACE =
            Pattern.compile("[A-Za-z](-?[A-Za-z0-9])*+(\\.[A-Za-z0-9](-?[A-Za-z0-9])*+)++");

    private static final Pattern MEMBER = Pattern.compile("[A-Z][A-Za-z0-9]*+");
    private static final Pattern FIELD = Pattern.compile("[A-Za-z](_?[A-Za-z0-9])*+");

    private IdlNames() {}

    static boolean isInterface(String name) {
        return INTERFACE.matcher(name).matches();
    }

    static boolean isMember(String name) {
        return MEMBER.matcher(name).matches();
    }

    static boolean isField(String name) {
        return FIELD.matcher(name).matches();
    }

    /**
     * {@return whether the text has the form {@code interface.Member}, the qualified name of a
     * method or error on the wire}
     */
    public static boolean isQualified(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0 && isInterface(name.substring(0, dot)) && isMember(name.substring(dot + 1));
    }

    /**
     * Throws if a text is no valid name.
     *
     * @param valid whether the name is valid
     * @param what the thing with that name, for the message
     * @throws IllegalArgumentException if the name is not valid
     */
    public static void require(boolean valid, String what, String name) {
        if (!valid) {
            throw new IllegalArgumentException("\"" + name + "\" is not a valid name of " + what);
        }
    }
}
