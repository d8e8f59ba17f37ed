package io.holdfast.authority.rules;

import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/** A function that makes replacements, whose length is added up. */
final class Replacement extends BaseFunction {
    private static final long serialVersionUID = 1L;

    private final transient CallBounds bounds;
    private final transient Callable original;
    private long length;

    Replacement(ScriptableObject scope, CallBounds bounds, Callable original) {
        super(scope, ScriptableObject.getFunctionPrototype(scope));
        this.bounds = bounds;
        this.original = original;
    }

    @Override
    public Object call(Context cx, Scriptable scope, Scriptable self, Object[] arguments) {
        String text = bounds.text(original.call(cx, scope, self, arguments));
        length += text.length();
        bounds.checkText(length);
        return text;
    }
}
