package io.holdfast.dbus.generate;

import java.util.Locale;
import java.util.Set;

/**
 * Names of D-Bus as names of Java. A name that Java keeps for itself gets an underscore, and so
 * does one that is taken already.
 */
final class JavaNames {
    private static final Set<String> KEYWORDS =
            Set.of(
                    ("abstract assert boolean break byte case catch char class const continue default"
                                    + " do double else enum extends final finally float for goto if"
                                    + " implements import instanceof int interface long native new"
                                    + " package private protected public return short static"
                                    + " strictfp super switch synchronized this throw throws"
                                    + " transient try void volatile while true false null _")
                            .split(" "));

    /** Methods that every object has, and that no method or component may replace. */
    private static final Set<String> OF_OBJECTS =
            Set.of(
                    "clone",
                    "equals",
                    "finalize",
                    "getClass",
                    "hashCode",
                    "notify",
                    "notifyAll",
                    "toString",
                    "wait");

    private JavaNames() {}

    /** The name of a method. */
    static String method(String member) {
        String name = small(member);
        return KEYWORDS.contains(name) || OF_OBJECTS.contains(name) ? name + "_" : name;
    }

    /**
     * The name of a parameter or component, of what may be any text.
     *
     * @param index of the argument, for one without a name
     */
    static String argument(String text, int index) {
        StringBuilder name = new StringBuilder();
        boolean begins = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
                name.append(begins && !name.isEmpty() ? Character.toUpperCase(c) : c);
                begins = false;
            } else {
                begins = true;
            }
        }
        if (name.isEmpty() || Character.isDigit(name.charAt(0))) {
            return "arg" + index;
        }
        return method(name.toString());
    }

    /** The name of a type. */
    static String type(String text) {
        String name = capital(text);
        return KEYWORDS.contains(name) ? name + "_" : name;
    }

    /** The package of an interface: what stands before its last dot, in small letters. */
    static String packageOf(String interfaceName) {
        StringBuilder name = new StringBuilder();
        String before = interfaceName.substring(0, interfaceName.lastIndexOf('.'));
        for (String element : before.toLowerCase(Locale.ROOT).split("\\.")) {
            name.append(name.isEmpty() ? "" : ".").append(element);
            name.append(KEYWORDS.contains(element) ? "_" : "");
        }
        return name.toString();
    }

    /** Whether a text can be the name of a package. */
    static boolean isPackage(String text) {
        for (String element : text.split("\\.", -1)) {
            if (!element.matches("[A-Za-z_][A-Za-z0-9_]*") || KEYWORDS.contains(element)) {
                return false;
            }
        }
        return true;
    }

    /** The name with an underscore for each time that it is taken; it is taken then. */
    static String free(String wanted, Set<String> taken) {
        String name = wanted;
        while (!taken.add(name)) {
            name += "_";
        }
        return name;
    }

    static String capital(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    private static String small(String text) {
        return text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
    }
}
