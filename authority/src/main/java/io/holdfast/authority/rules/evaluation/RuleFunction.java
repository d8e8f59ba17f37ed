package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;

/**
 * A function that a file adds.
 *
 * @param place where the file adds it
 * @param guard which actions and users it concerns
 * @param silence the step of an evaluation in which it returned nothing, which is the usual case
 * @param source makes the function
 */
record RuleFunction(SourceLine place, RuleGuard guard, RuleStep silence, Source source) {
    RuleFunction(SourceLine place, RuleGuard guard, Source source) {
        this(place, guard, new RuleStep(place, "nothing"), source);
    }

    /** Makes the function in a realm. */
    @FunctionalInterface
    interface Source {
        Function in(RuleSandbox.Cell cell, Realm realm);
    }

    /** Returns whether the function can be suspended, as long as it calls only scripts. */
    static boolean isScript(Function function) {
        return function instanceof JSFunction;
    }

    static Object call(Context cx, Function function, Realm realm, Object[] arguments) {
        return isScript(function)
                ? cx.callFunctionWithContinuations(function, realm.global(), arguments)
                : function.call(cx, realm.global(), realm.global(), arguments);
    }
}
