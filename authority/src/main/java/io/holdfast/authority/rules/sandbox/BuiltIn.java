package io.holdfast.authority.rules.sandbox;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/** A function for scripts that is implemented here, not by the interpreter. */
public final class BuiltIn extends BaseFunction {
    private static final long serialVersionUID = 1L;

    @FunctionalInterface
    public interface Body {
        Object call(RuleSandbox.Cell cell, Scriptable self, Object[] arguments);
    }

    private final String name;
    private final transient Body body;

    public BuiltIn(ScriptableObject global, String name, Body body) {
        this.name = name;
        this.body = body;
        setParentScope(global);
        setPrototype(ScriptableObject.getFunctionPrototype(global));
    }

    /** Makes no properties: no script needs a built-in's name and length, and they cost time. */
    @Override
    protected void createProperties() {}

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        RuleSandbox.Cell cell = (RuleSandbox.Cell) cx;
        cell.check();
        return body.call(cell, self, arguments);
    }

    @Override
    public Scriptable construct(Context cx, Scriptable scope, Object[] arguments) {
        throw ScriptRuntime.typeError(name + " is not a constructor");
    }

    @Override
    public String getFunctionName() {
        return name;
    }

    /** Returns an argument, or undefined if it is missing. */
    public static Object argument(Object[] arguments, int index) {
        return index < arguments.length ? arguments[index] : Undefined.instance;
    }
}
