package io.holdfast.authority.rules;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/** A function for scripts that is ours. */
final class BuiltIn extends BaseFunction {
    private static final long serialVersionUID = 1L;

    @FunctionalInterface
    interface Body {
        Object call(Context cx, Scriptable self, Object[] arguments);
    }

    private final String name;
    private final int arity;
    private final transient Body body;

    BuiltIn(ScriptableObject scope, String name, int arity, Body body) {
        super(scope, ScriptableObject.getFunctionPrototype(scope));
        this.name = name;
        this.arity = arity;
        this.body = body;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        return body.call(cx, self, arguments);
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        throw ScriptRuntime.typeError(name + " is not a constructor");
    }

    @Override
    public String getFunctionName() {
        return name;
    }

    @Override
    public int getArity() {
        return arity;
    }

    @Override
    public int getLength() {
        return arity;
    }

    /** An argument, or undefined. */
    static Object argument(Object[] arguments, int index) {
        return index < arguments.length ? arguments[index] : Undefined.instance;
    }
}
