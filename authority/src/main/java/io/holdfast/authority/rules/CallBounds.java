package io.holdfast.authority.rules;

import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.UniqueTag;
import org.mozilla.javascript.Wrapper;

/**
 * How much one call of a built-in function may go through and make. What is too much is a
 * RangeError, which scripts may catch.
 */
final class CallBounds {
    private final RuleLimits limits;

    CallBounds(RuleLimits limits) {
        this.limits = limits;
    }

    static RuntimeException tooLong(String what, int limit) {
        return ScriptRuntime.rangeError("more than " + limit + " " + what);
    }

    void checkText(long length) {
        if (length > limits.text()) {
            throw tooLong("characters", limits.text());
        }
        if (length > 64) {
            charge(2 * length);
        }
    }

    void checkElements(double length) {
        if (length > limits.elements()) {
            throw tooLong("elements", limits.elements());
        }
    }

    static void charge(long bytes) {
        Budget budget = Sandbox.current().budget;
        if (budget != null) {
            budget.charge(bytes);
        }
    }

    /** Of an array, or what passes for one; 0 if it is none. */
    static double lengthOf(Object value) {
        return switch (value) {
            case NativeArray array -> array.getLength();
            case CharSequence text -> text.length();
            case Wrapper wrapper when wrapper.unwrap() instanceof CharSequence text ->
                    text.length();
            case Scriptable object -> {
                Object length = ScriptableObject.getProperty(object, "length");
                double number = length instanceof UniqueTag ? 0 : ScriptRuntime.toNumber(length);
                yield number > 0 ? number : 0;
            }
            case null, default -> 0;
        };
    }

    /** The text that a value is taken for. */
    String text(Object value) {
        if (value instanceof CharSequence text) {
            checkText(text.length());
        }
        String text = ScriptRuntime.toString(value);
        checkText(text.length());
        return text;
    }

    /** Of a text; 0 if it is none. */
    static long textLength(Object value) {
        return switch (value) {
            case CharSequence text -> text.length();
            case Wrapper wrapper when wrapper.unwrap() instanceof CharSequence text ->
                    text.length();
            case null, default -> 0;
        };
    }
}
