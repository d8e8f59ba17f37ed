package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import java.util.Optional;
import java.util.Set;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;
import org.mozilla.javascript.ScriptableObject;

/**
 * A function that a file has added.
 *
 * @param place where it was added
 * @param actions which it is about; empty if it may be any
 */
record RuleFunction(Place place, Function function, Optional<Set<String>> actions) {
    static RuleFunction of(Place place, Function function) {
        return new RuleFunction(
                place,
                function,
                function instanceof JSFunction script
                        ? Optional.ofNullable(script.getRawSource()).flatMap(ActionGuard::of)
                        : Optional.empty());
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
