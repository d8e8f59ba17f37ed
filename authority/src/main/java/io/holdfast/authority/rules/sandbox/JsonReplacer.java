package io.holdfast.authority.rules.sandbox;

import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/** A JSON replacer that counts what is written, around the script's own replacer. */
final class JsonReplacer extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable Object original;
    private long nodes;
    private long characters;

    JsonReplacer(ScriptableObject global, @Nullable Object original) {
        super(global, ScriptableObject.getFunctionPrototype(global));
        this.original = original;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        RuleSandbox.Cell cell = (RuleSandbox.Cell) cx;
        cell.check();
        Object key = arguments[0];
        Object value =
                switch (original) {
                    case NativeArray names
                            when !(self instanceof NativeArray)
                                    && !key.equals("")
                                    && !isAmong(cell, names, key) ->
                            Undefined.instance;
                    case NativeArray _ -> arguments[1];
                    case Callable function -> function.call(cx, scope, self, arguments);
                    case null, default -> arguments[1];
                };
        nodes++;
        LengthLimits.requireElements(cell, (double) nodes);
        characters += length(key) + length(value);
        LengthLimits.requireText(cell, (double) characters);
        return value;
    }

    private static int length(Object value) {
        return value instanceof CharSequence text ? text.length() : 0;
    }

    private static boolean isAmong(RuleSandbox.Cell cell, NativeArray names, Object key) {
        LengthLimits.requireElements(cell, (double) names.getLength());
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
