package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** A script's replacement function; adds up the lengths of its results. */
final class Replacement extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final transient Callable original;
    private double length;

    Replacement(ScriptableObject global, Callable original) {
        super(global, ScriptableObject.getFunctionPrototype(global));
        this.original = original;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        RuleSandbox.Cell cell = (RuleSandbox.Cell) cx;
        String text = LengthLimits.text(cell, original.call(cx, scope, self, arguments));
        length += text.length();
        LengthLimits.requireText(cell, length);
        return text;
    }
}
