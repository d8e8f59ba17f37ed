package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** A built-in function as scripts see it, behind its {@link BuiltinGuard}. */
final class GuardedFunction extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final BaseFunction original;
    private final transient BuiltinGuard guard;

    GuardedFunction(ScriptableObject global, BaseFunction original, BuiltinGuard guard) {
        this.original = original;
        this.guard = guard;
        setParentScope(global);
        setPrototype(original.getPrototype());
    }

    /** Makes no properties: no script needs a built-in's name and length, and they cost time. */
    @Override
    protected void createProperties() {}

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        RuleSandbox.Cell cell = (RuleSandbox.Cell) cx;
        cell.check();
        Object result = guard.call(cell, original, scope, self, arguments);
        if (result instanceof CharSequence text) {
            LengthLimits.requireShort(cell, text);
        }
        return result;
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        throw ScriptRuntime.typeError(getFunctionName() + " is not a constructor");
    }

    @Override
    public String getFunctionName() {
        return original.getFunctionName();
    }
}
