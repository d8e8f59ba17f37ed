package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;
import org.mozilla.javascript.ScriptableObject;

/**
 * A function that a file has added.
 *
 * @param place where it was added
 * @param guard what it is about
 * @param silence what is told of it when it has run and said nothing, as most do
 */
record RuleFunction(Place place, Function function, RuleGuard guard, RuleStep silence) {
    RuleFunction(Place place, Function function, RuleGuard guard) {
        this(place, function, guard, new RuleStep(place, "nothing"));
    }

    /** Whether it can be suspended, as long as it calls nothing that is not a script. */
    boolean isScript() {
        return function instanceof JSFunction;
    }

    Object call(Context cx, ScriptableObject scope, Object[] arguments) {
        return isScript()
                ? cx.callFunctionWithContinuations(function, scope, arguments)
                : function.call(cx, scope, scope, arguments);
    }
}
