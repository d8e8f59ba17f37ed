package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.rules.RuleLimits;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.UniqueTag;
import org.mozilla.javascript.Wrapper;

/**
 * How long the texts and arrays of scripts may be ({@link RuleLimits#text}, {@link
 * RuleLimits#elements}). One that would be longer is a RangeError, which scripts may catch.
 */
final class Bounds {
    /** What an object takes for each of its properties, at least. In bytes. */
    private static final long PROPERTY_BYTES = 64;

    private Bounds() {}

    static RuntimeException tooLong(String what, int limit) {
        return ScriptRuntime.rangeError("more than " + limit + " " + what);
    }

    /**
     * Verifies that a text may be as long as it is.
     *
     * @throws org.mozilla.javascript.EcmaError a RangeError if it may not
     */
    static void requireShort(Sandbox.Cell cell, CharSequence text) {
        requireText(cell, text.length());
    }

    /** Verifies that a text may have so many characters. */
    static void requireText(Sandbox.Cell cell, double length) {
        int limit = cell.limits().text();
        if (length > limit) {
            throw tooLong("characters", limit);
        }
    }

    /** Verifies that an array may have so many elements. */
    static void requireElements(Sandbox.Cell cell, double length) {
        int limit = cell.limits().elements();
        if (length > limit) {
            throw tooLong("elements", limit);
        }
    }

    /** The text that a value is taken for. */
    static String text(Sandbox.Cell cell, Object value) {
        String text = ScriptRuntime.toString(value);
        requireShort(cell, text);
        return text;
    }

    /** About how many bytes it takes to go through a value. */
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
     * An array that holds what another value holds now: the value itself if it is an array, whose
     * length no script can define as something else; else a copy, for which the length is asked for
     * once.
     */
    static NativeArray array(Sandbox.Cell cell, Scriptable value) {
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
