package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.Place;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.sandbox.Sandbox;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;

/**
 * A function that a file adds.
 *
 * @param place where it is added
 * @param guard what it is about
 * @param silence the step of an evaluation in which it has returned nothing, as most do
 * @param source the function itself
 */
record RuleFunction(Place place, RuleGuard guard, RuleStep silence, Source source) {
    RuleFunction(Place place, RuleGuard guard, Source source) {
        this(place, guard, new RuleStep(place, "nothing"), source);
    }

    /** How a world comes by the function. */
    @FunctionalInterface
    interface Source {
        Function in(Sandbox.Cell cell, World world);
    }

    /** Whether a function can be suspended, as long as it calls nothing that is not a script. */
    static boolean isScript(Function function) {
        return function instanceof JSFunction;
    }

    static Object call(Context cx, Function function, World world, Object[] arguments) {
        return isScript(function)
                ? cx.callFunctionWithContinuations(function, world.global(), arguments)
                : function.call(cx, world.global(), world.global(), arguments);
    }
}
