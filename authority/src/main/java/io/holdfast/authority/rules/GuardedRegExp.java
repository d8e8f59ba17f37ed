package io.holdfast.authority.rules;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * The constructor of regular expressions, for patterns of a length that is soon compiled: classes
 * of characters are filled without a count of steps. It has no {@code RegExp.$1} and the like: what
 * one check matched is no other's to see.
 */
final class GuardedRegExp extends BaseFunction {
    /** Characters of a pattern that is made from text; one in the source may be longer. */
    static final int MAX_PATTERN = 4_096;

    private static final long serialVersionUID = 1L;

    private final BaseFunction original;

    GuardedRegExp(ScriptableObject scope, BaseFunction original) {
        super(scope, ScriptableObject.getFunctionPrototype(scope));
        this.original = original;
        setImmunePrototypeProperty(ScriptableObject.getProperty(original, "prototype"));
    }

    /** Throws if a pattern is too long; leaves what is no text to be looked at later. */
    static Object[] check(Object[] arguments) {
        if (arguments.length > 0
                && arguments[0] instanceof CharSequence pattern
                && pattern.length() > MAX_PATTERN) {
            throw ScriptRuntime.rangeError("a pattern of more than " + MAX_PATTERN + " characters");
        }
        return arguments;
    }

    private static Object[] asText(Object[] arguments) {
        if (arguments.length == 0
                || !(arguments[0] instanceof Scriptable object)
                || object.getClassName().equals("RegExp")) {
            return check(arguments);
        }
        Object[] checked = arguments.clone();
        checked[0] = ScriptRuntime.toString(object);
        return check(checked);
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        return original.call(cx, scope, self, asText(arguments));
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        return original.construct(cx, scope, asText(arguments));
    }

    @Override
    public String getFunctionName() {
        return "RegExp";
    }

    @Override
    public int getArity() {
        return 2;
    }

    @Override
    public int getLength() {
        return 2;
    }
}
