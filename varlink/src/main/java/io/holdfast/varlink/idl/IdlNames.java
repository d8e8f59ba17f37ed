package io.holdfast.varlink.idl;

import java.util.regex.Pattern;

/** The shapes of names in an interface definition. */
public final class IdlNames {
    /** Labels joined by dots, at least two; dashes only single and inside. */
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
     * {@return whether it has the form {@code interface.Member}, as methods and errors are called
     * on the wire}
     *
     * @param name the text
     */
    public static boolean isQualified(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0 && isInterface(name.substring(0, dot)) && isMember(name.substring(dot + 1));
    }

    /**
     * Refuses a text that is no name.
     *
     * @param valid whether it is one
     * @param what it should be the name of
     * @param name the text
     * @throws IllegalArgumentException if it is none
     */
    public static void require(boolean valid, String what, String name) {
        if (!valid) {
            throw new IllegalArgumentException("\"" + name + "\" is no name of " + what);
        }
    }
}
