package io.holdfast.authority.rules;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** A built-in function, checked before it is called. */
final class GuardedFunction extends BaseFunction {
    private static final long serialVersionUID = 1L;

    @FunctionalInterface
    interface Check {
        /** Throws if it would be too much; or gives other arguments. */
        Object[] before(Context cx, Scriptable self, Object[] arguments);
    }

    private final BaseFunction original;
    private final transient Check check;

    GuardedFunction(ScriptableObject scope, BaseFunction original, Check check) {
        super(scope, ScriptableObject.getFunctionPrototype(scope));
        this.original = original;
        this.check = check;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        Budget budget = Sandbox.current().budget;
        if (budget != null) {
            budget.checkTime(); // another built-in function may call it many times
        }
        return original.call(cx, scope, self, check.before(cx, self, arguments));
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        throw ScriptRuntime.typeError(getFunctionName() + " is not a constructor");
    }

    @Override
    public String getFunctionName() {
        return original.getFunctionName();
    }

    @Override
    public int getArity() {
        return original.getArity();
    }

    @Override
    public int getLength() {
        return original.getLength();
    }
}
