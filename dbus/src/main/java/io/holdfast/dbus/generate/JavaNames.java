package io.holdfast.dbus.generate;

import java.util.Locale;
import java.util.Set;

/**
 * Java names for D-Bus names. A name that is reserved in Java gets an underscore, and so does one
 * that is used already.
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

    /** The methods of Object, which no method or component may override. */
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

    /** Returns the Java name of a method. */
    static String method(String member) {
        String name = small(member);
        return KEYWORDS.contains(name) || OF_OBJECTS.contains(name) ? name + "_" : name;
    }

    /**
     * Returns the name of a parameter or component; the text may be anything.
     *
     * @param index the index of the argument, for one without a name
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

    /** Returns the Java name of a type. */
    static String type(String text) {
        String name = capital(text);
        return KEYWORDS.contains(name) ? name + "_" : name;
    }

    /** Returns the package of an interface: the part before its last dot, in lower case. */
    static String packageOf(String interfaceName) {
        StringBuilder name = new StringBuilder();
        String before = interfaceName.substring(0, interfaceName.lastIndexOf('.'));
        for (String element : before.toLowerCase(Locale.ROOT).split("\\.")) {
            name.append(name.isEmpty() ? "" : ".").append(element);
            name.append(KEYWORDS.contains(element) ? "_" : "");
        }
        return name.toString();
    }

    /** Returns whether a text is a valid package name. */
    static boolean isPackage(String text) {
        for (String element : text.split("\\.", -1)) {
            if (!element.matches("[A-Za-z_][A-Za-z0-9_]*") || KEYWORDS.contains(element)) {
                return false;
            }
        }
        return true;
    }

    /** Returns the name with underscores until it is unused, and marks it as used. */
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
