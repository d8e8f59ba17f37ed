package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** A target of {@code bind}: it reserves memory, as nested bound functions add up arguments. */
final class BoundTarget extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final BaseFunction original;

    BoundTarget(ScriptableObject global, BaseFunction original) {
        this.original = original;
        setParentScope(global);
        setPrototype(original.getPrototype());
    }

    @Override
    protected void createProperties() {}

    private static void reserve(Context cx, Object[] arguments) {
        ((RuleSandbox.Cell) cx).reserve(16L * arguments.length);
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        reserve(cx, arguments);
        return original.call(cx, scope, self, arguments);
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        reserve(cx, arguments);
        return original.construct(cx, scope, arguments);
    }

    @Override
    public boolean hasInstance(Scriptable instance) {
        return original.hasInstance(instance);
    }

    @Override
    public int getLength() {
        return original.getLength();
    }

    @Override
    public String getFunctionName() {
        return original.getFunctionName();
    }
}
