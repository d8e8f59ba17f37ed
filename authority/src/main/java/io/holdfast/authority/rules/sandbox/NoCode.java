package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** The constructor of functions, without the ability to make one from text. */
final class NoCode extends BaseFunction {
    private static final long serialVersionUID = 1L;

    NoCode(ScriptableObject scope, ScriptableObject functions) {
        super(scope, functions);
        setImmunePrototypeProperty(functions);
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        throw ScriptRuntime.typeError("Function: no function can be made from text");
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        throw ScriptRuntime.typeError("Function: no function can be made from text");
    }

    @Override
    public String getFunctionName() {
        return "Function";
    }
}
