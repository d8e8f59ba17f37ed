package io.holdfast.authority.rules.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.rules.RuleLimits;
import io.holdfast.authority.rules.engine.TestRules;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Undefined;

/** Tests that evaluations can share the built-in objects. */
@Timeout(120)
class BuiltInsTest {
    private static final RuleLimits LIMITS =
            RuleLimits.standard().withEvaluation(Duration.ofSeconds(10));

    /** Constructors that have settings or functions of their own. */
    private static final Set<String> STATEFUL = Set.of("Object", "Array", "Error", "RegExp");

    /** Describes the state of an object, as far as scripts can read it. */
    private static final String STATE =
            """
            (function (value) {
                var text = Object.isExtensible(value) + " " + value.lastIndex + " " + value.length;
                Object.getOwnPropertyNames(value).concat(Object.getOwnPropertySymbols(value))
                    .forEach(function (name) {
                        var property = Object.getOwnPropertyDescriptor(value, name);
                        text += " " + String(name) + property.writable + property.enumerable
                            + property.configurable + typeof property.value + typeof property.get;
                        if (typeof property.value !== "object"
                                && typeof property.value !== "function") {
                            text += String(property.value);
                        } else if (property.value !== null) {
                            text += Object.getOwnPropertyNames(property.value).join();
                        }
                    });
                try { text += Date.prototype.getTime.call(value); } catch (e) {}
                try { text += RegExp.prototype.toString.call(value); } catch (e) {}
                var above = Object.getPrototypeOf(value);
                return text + (above === null ? "" : Object.getOwnPropertyNames(above).join());
            })
            """;

    /** Calls every built-in function with every kind of built-in object. */
    @Test
    void noBuiltInFunctionChangesWhatEvaluationsShare() {
        RuleSandbox sandbox = new RuleSandbox(LIMITS);
        try (RuleSandbox.Cell cell = sandbox.open()) {
            BuiltIns shared = sandbox.builtIns(cell);
            List<ScriptableObject> all = shared(cell, shared);
            List<ScriptableObject> receivers =
                    all.stream()
                            .filter(each ->
                                    !(each instanceof BaseFunction function)
                                            || STATEFUL.contains(function.getFunctionName()))
                            .toList();
            assertThat(all).allMatch(ScriptableObject::isSealed).hasSizeGreaterThan(300);
            assertThat(receivers).hasSizeGreaterThan(40);
            List<String> before = states(cell, shared, receivers);
            for (ScriptableObject each : all) {
                if (each instanceof Function function) {
                    callWithEach(cell, shared.global(), function, receivers);
                }
            }
            assertThat(states(cell, shared, receivers)).isEqualTo(before);
            assertThat(shared(cell, shared)).hasSameSizeAs(all);
        }
    }

    private static void callWithEach(
            RuleSandbox.Cell cell,
            ScriptableObject global,
            Function function,
            List<ScriptableObject> receivers) {
        for (ScriptableObject receiver : receivers) {
            for (Object[] arguments :
                    new Object[][] {{}, {1, 1}, {receiver, "x", cell.newObject(global)}}) {
                cell.attach(Budget.ofFile(LIMITS));
                try {
                    Object _ = function.call(cell, global, receiver, arguments);
                } catch (RhinoException | BuiltInChange | Abort e) {
                    // the function has refused
                } catch (RuntimeException | StackOverflowError e) {
                    // the interpreter has failed
                } finally {
                    cell.detach();
                }
            }
        }
    }

    /** Returns the objects that two global scopes have in common. */
    private static List<ScriptableObject> shared(RuleSandbox.Cell cell, BuiltIns builtIns) {
        Set<ScriptableObject> found = Collections.newSetFromMap(new IdentityHashMap<>());
        found.addAll(reachable(cell, builtIns.global()));
        return reachable(cell, builtIns.global()).stream().filter(found::contains).toList();
    }

    private static List<ScriptableObject> reachable(
            RuleSandbox.Cell cell, ScriptableObject global) {
        Function script = (Function) cell.evaluateString(global, BuiltIns.REACHABLE, "x", 1, null);
        NativeArray found = (NativeArray) script.call(cell, global, global, new Object[0]);
        return Arrays.stream(found.toArray()).map(ScriptableObject.class::cast).toList();
    }

    private static List<String> states(
            RuleSandbox.Cell cell, BuiltIns shared, List<ScriptableObject> objects) {
        Scriptable global = shared.global();
        Function state = (Function) cell.evaluateString(global, STATE, "x", 1, null);
        List<String> states = new ArrayList<>();
        for (ScriptableObject each : objects) {
            states.add(
                    state.call(cell, global, Undefined.SCRIPTABLE_UNDEFINED, new Object[] {each})
                            .toString());
        }
        return states;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "String.prototype.isLong = function() { return this.length > 3; };",
                "if (!Array.prototype.contains) { Array.prototype.contains ="
                        + " function(x) { return this.indexOf(x) >= 0; }; }",
                "Object.defineProperty(Array.prototype, 'contains',"
                        + " {value: function(x) { return this.indexOf(x) >= 0; }});",
            })
    void aFileMayExtendTheBuiltInObjects(String extension) {
        String use =
                "polkit.addRule(function(a) { return 'abcd'.isLong && 'abcd'.isLong()"
                        + " || [1].contains && [1].contains(1) ? 'yes' : 'no'; });";
        try (TestRules rules = TestRules.of(extension, use)) {
            assertThat(rules.engine.diagnostics()).isEmpty();
            assertThat(rules.word("x")).isEqualTo("yes");
            assertThat(rules.word("x")).isEqualTo("yes");
            rules.replace(use);
            assertThat(rules.word("x")).isEqualTo("no");
        }
    }

    @Test
    void aRuleThatChangesABuiltInObjectDoesSoForItsOwnCheckOnly() {
        try (TestRules rules =
                TestRules.of(
                        """
                        polkit.addRule(function(action) {
                            if (action.id == "change") {
                                Array.prototype.includes = function() { return true; };
                            }
                        });
                        polkit.addRule(function() { return [].includes(1) ? "yes" : "no"; });
                        """)) {
            assertThat(rules.word("other")).isEqualTo("no");
            assertThat(rules.word("change")).isEqualTo("yes");
            assertThat(rules.word("other")).isEqualTo("no");
            assertThat(rules.word("change")).isEqualTo("yes");
        }
    }

    /** The interpreter defines elements of what a constructor returns, even if it is sealed. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Array.from.call(function() { return Object.prototype; }, ['left']);",
                "Array.of.call(function() { return Object.prototype; }, 'left');",
                "var a = ['left']; a.constructor = {};"
                        + " [Symbol.species].concat(Object.getOwnPropertySymbols(Array))"
                        + ".forEach(function(s) { a.constructor[s] ="
                        + " function() { return Object.prototype; }; });"
                        + " a.map(String); a.filter(String); a.slice(); a.concat(['left']);",
            })
    void noElementIsLeftInASharedObject(String change) {
        RuleSandbox sandbox = new RuleSandbox(LIMITS);
        try (RuleSandbox.Cell cell = sandbox.open()) {
            ScriptableObject global = sandbox.builtIns(cell).global();
            try {
                Object _ = cell.evaluateString(global, change, "x", 1, null);
            } catch (RhinoException | BuiltInChange e) {
                // the function has refused
            }
            Object left = cell.evaluateString(global, "[][0] === undefined", "x", 1, null);
            assertThat(left).isEqualTo(true);
        }
    }

    @Test
    void iteratingAPrototypeOfIteratorsIsAChange() {
        try (TestRules rules =
                TestRules.of(
                        """
                        polkit.addRule(function(action) {
                            var prototype = Object.getPrototypeOf(new Map().entries());
                            return prototype.next().done && action.id == "x" ? "yes" : "no";
                        });
                        """)) {
            assertThat(rules.word("x")).isEqualTo(rules.word("x"));
        }
    }
}
