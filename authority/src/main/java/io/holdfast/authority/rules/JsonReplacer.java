package io.holdfast.authority.rules;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/** A replacer that counts what is written, before the script's own. */
final class JsonReplacer extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final transient CallBounds bounds;
    private final transient Object original;
    private long nodes;
    private long characters;

    JsonReplacer(ScriptableObject scope, CallBounds bounds, Object original) {
        super(scope, ScriptableObject.getFunctionPrototype(scope));
        this.bounds = bounds;
        this.original = original;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        Object key = arguments[0];
        Object value =
                switch (original) {
                    case NativeArray names
                            when !(self instanceof NativeArray)
                                    && !key.equals("")
                                    && !isAmong(names, key) ->
                            Undefined.instance;
                    case NativeArray _ -> arguments[1];
                    case Callable function -> function.call(cx, scope, self, arguments);
                    default -> arguments[1];
                };
        nodes++;
        bounds.checkElements((double) nodes);
        characters += CallBounds.textLength(key) + CallBounds.textLength(value);
        bounds.checkText(characters);
        return value;
    }

    private static boolean isAmong(NativeArray names, Object key) {
        for (int i = 0; i < names.getLength(); i++) {
            Object name = names.get(i, names);
            if ((name instanceof CharSequence || name instanceof Number)
                    && ScriptRuntime.toString(name).equals(key)) {
                return true;
            }
        }
        return false;
    }
}
