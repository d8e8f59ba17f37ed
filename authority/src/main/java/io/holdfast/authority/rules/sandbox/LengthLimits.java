package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.rules.RuleLimits;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.UniqueTag;
import org.mozilla.javascript.Wrapper;

/**
 * Checks the length of the texts and arrays of scripts ({@link RuleLimits#text}, {@link
 * RuleLimits#elements}). An excess throws a RangeError, which scripts may catch.
 */
final class LengthLimits {
    /** The least bytes of an object for each of its properties. */
    private static final long PROPERTY_BYTES = 64;

    private LengthLimits() {}

    static RuntimeException tooLong(String what, int limit) {
        return ScriptRuntime.rangeError("more than " + limit + " " + what);
    }

    /**
     * Checks that a text is not too long.
     *
     * @throws org.mozilla.javascript.EcmaError a RangeError if it is
     */
    static void requireShort(RuleSandbox.Cell cell, CharSequence text) {
        requireText(cell, text.length());
    }

    /** Checks that a text may have this many characters. */
    static void requireText(RuleSandbox.Cell cell, double length) {
        int limit = cell.limits().text();
        if (length > limit) {
            throw tooLong("characters", limit);
        }
    }

    /** Checks that an array may have this many elements. */
    static void requireElements(RuleSandbox.Cell cell, double length) {
        int limit = cell.limits().elements();
        if (length > limit) {
            throw tooLong("elements", limit);
        }
    }

    /** Converts a value to a text, and checks its length. */
    static String text(RuleSandbox.Cell cell, Object value) {
        String text = ScriptRuntime.toString(value);
        requireShort(cell, text);
        return text;
    }

    /** Estimates the bytes that a function reads to go through a value. */
    static long weight(Object value) {
        return switch (value) {
            case CharSequence text -> 2L * text.length();
            case Wrapper wrapper when wrapper.unwrap() instanceof CharSequence text ->
                    2L * text.length();
            case ScriptableObject object -> PROPERTY_BYTES * object.size();
            case null, default -> 0;
        };
    }

    /**
     * Returns an array with the present elements of a value: the value itself if it is an array,
     * whose length no script can redefine; otherwise a copy, for which the length is read once.
     */
    static NativeArray array(RuleSandbox.Cell cell, Scriptable value) {
        if (value instanceof NativeArray array) {
            requireElements(cell, (double) array.getLength());
            return array;
        }
        Object length = ScriptableObject.getProperty(value, "length");
        double count = length instanceof UniqueTag ? 0 : ScriptRuntime.toInteger(length);
        requireElements(cell, count);
        cell.reserve((long) (8 * Math.max(count, 0)));
        Object[] elements = new Object[(int) Math.max(count, 0)];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = ScriptableObject.getProperty(value, i);
        }
        return (NativeArray) cell.newArray(cell.global(), elements);
    }
}
