package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * The constructor of regular expressions. It limits the length of patterns, because the interpreter
 * compiles their character classes without counting steps. It has no {@code RegExp.$1} and the
 * like.
 */
final class GuardedRegExp extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final BaseFunction original;

    GuardedRegExp(ScriptableObject global, BaseFunction original) {
        super(global, ScriptableObject.getFunctionPrototype(global));
        this.original = original;
        setImmunePrototypeProperty(ScriptableObject.getProperty(original, "prototype"));
    }

    /** Checks the pattern, and converts it to a text unless it is a regular expression. */
    static Object[] checked(Object[] arguments) {
        if (arguments.length > 0
                && arguments[0] instanceof Scriptable object
                && !object.getClassName().equals("RegExp")) {
            arguments[0] = ScriptRuntime.toString(object);
        }
        if (arguments.length > 0
                && arguments[0] instanceof CharSequence pattern
                && pattern.length() > CheckedCode.MAX_PATTERN) {
            throw ScriptRuntime.rangeError(
                    "a pattern of more than " + CheckedCode.MAX_PATTERN + " characters");
        }
        return arguments;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        ((RuleSandbox.Cell) cx).check();
        return original.call(cx, scope, self, checked(arguments.clone()));
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        ((RuleSandbox.Cell) cx).check();
        return original.construct(cx, scope, checked(arguments.clone()));
    }

    @Override
    public String getFunctionName() {
        return "RegExp";
    }

    @Override
    public int getLength() {
        return 2;
    }
}
