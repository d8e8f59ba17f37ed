package io.holdfast.authority.rules;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Symbol;
import org.mozilla.javascript.SymbolKey;
import org.mozilla.javascript.Undefined;
import org.mozilla.javascript.UniqueTag;

/**
 * Stands before the built-in functions that could, in one call, take more time or memory than an
 * evaluation may: the interpreter asks for limits between its own steps only. Rarely used built-ins
 * of that kind are left out. The steps of regular expressions are counted, but one may go through
 * all of the text.
 */
final class Guards {
    private static final String[] LEFT_OUT = {
        "BigInt",
        "Continuation",
        "Promise",
        "Proxy",
        "Reflect",
        "Script",
        "With",
        "Call",
        "ArrayBuffer",
        "Int8Array",
        "Uint8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "BigInt64Array",
        "BigUint64Array",
        "Float32Array",
        "Float64Array",
        "DataView",
        "JavaException",
        "CallSite",
        "uneval",
        "isXMLName"
    };

    /** Whose {@code toSource} goes through a shared part once for each way that leads to it. */
    private static final String[] WITH_SOURCE = {
        "Object",
        "Function",
        "Array",
        "String",
        "Number",
        "Boolean",
        "Date",
        "RegExp",
        "Error",
        "Map",
        "Set"
    };

    /** What one step of an iterator makes, at least. */
    private static final int STEP_BYTES = 32;

    private final ScriptableObject global;
    private final RuleLimits limits;
    private final CallBounds bounds;
    private final Set<Object> joining = Collections.newSetFromMap(new IdentityHashMap<>());

    Guards(ScriptableObject global, RuleLimits limits) {
        this.global = global;
        this.limits = limits;
        this.bounds = new CallBounds(limits);
    }

    void install() {
        for (String name : LEFT_OUT) {
            global.delete(name);
        }
        for (String name : WITH_SOURCE) {
            prototype(constructor(name)).delete("toSource");
        }
        ScriptableObject array = constructor("Array");
        ScriptableObject arrays = prototype(array);
        arrays.delete("flat");
        arrays.delete("flatMap");
        guardAll(arrays, this::arrayCall);
        guardAll(array, this::arrayLikes);
        replace(arrays, "join", 1, this::join);
        BuiltIn toText =
                new BuiltIn(global, "toString", 0, (cx, self, _) -> join(cx, self, new Object[0]));
        arrays.defineProperty("toString", toText, ScriptableObject.DONTENUM);
        arrays.defineProperty("toLocaleString", toText, ScriptableObject.DONTENUM);
        Context here = Sandbox.current();
        guardNext(here, arrays, here.newArray(global, 0));
        ScriptableObject string = constructor("String");
        ScriptableObject strings = prototype(string);
        strings.delete("normalize"); // quadratic
        guardAll(strings, this::stringCall);
        guardNext(here, strings, here.newObject(global, "String"));
        guard(strings, "repeat", this::repeat);
        guard(strings, "padStart", this::pad);
        guard(strings, "padEnd", this::pad);
        guard(strings, "concat", this::concat);
        guard(strings, "replace", this::replaceText);
        guard(strings, "replaceAll", this::replaceText);
        guard(strings, "split", this::shortText);
        for (String each : new String[] {"match", "matchAll", "search"}) {
            guard(strings, each, this::pattern);
        }
        guard(strings, SymbolKey.ITERATOR, this::shortText);
        guardPatterns();
        guard(string, "raw", this::raw);
        guardAll(constructor("Object"), this::shortText);
        ScriptableObject functions = prototype(constructor("Function"));
        guard(functions, "apply", this::apply);
        ScriptableObject json = (ScriptableObject) global.get("JSON", global);
        guard(json, "parse", this::shortText);
        guard(json, "stringify", (_, _, arguments) -> stringify(arguments));
        replace(global, "eval", 1, (cx, _, arguments) -> eval((Sandbox.Cell) cx, arguments));
        NoCode noCode = new NoCode(global, functions);
        functions.defineProperty("constructor", noCode, ScriptableObject.DONTENUM);
        global.defineProperty("Function", noCode, ScriptableObject.DONTENUM);
    }

    private void guardPatterns() {
        BaseFunction original = (BaseFunction) constructor("RegExp");
        GuardedRegExp regExp = new GuardedRegExp(global, original);
        ScriptableObject patterns = prototype(original);
        patterns.defineProperty("constructor", regExp, ScriptableObject.DONTENUM);
        global.defineProperty("RegExp", regExp, ScriptableObject.DONTENUM);
        guard(patterns, "compile", (_, _, arguments) -> GuardedRegExp.check(arguments));
        for (String each : new String[] {"exec", "test"}) {
            guard(patterns, each, this::subject);
        }
        for (Symbol each :
                new Symbol[] {
                    SymbolKey.MATCH,
                    SymbolKey.MATCH_ALL,
                    SymbolKey.REPLACE,
                    SymbolKey.SEARCH,
                    SymbolKey.SPLIT
                }) {
            guard(patterns, each, this::subject);
        }
    }

    /** What an iterator goes through may grow after it was made, and be gone through at once. */
    private void guardNext(Context cx, ScriptableObject iterable, Scriptable empty) {
        if (iterable.get(SymbolKey.ITERATOR, iterable) instanceof Callable iterator
                && iterator.call(cx, global, empty, new Object[0]) instanceof Scriptable made
                && made.getPrototype() instanceof ScriptableObject iterators) {
            guard(iterators, "next", Guards::step);
        }
    }

    private ScriptableObject constructor(String name) {
        return (ScriptableObject) global.get(name, global);
    }

    private static ScriptableObject prototype(ScriptableObject constructor) {
        return (ScriptableObject) ScriptableObject.getProperty(constructor, "prototype");
    }

    private void guardAll(ScriptableObject holder, GuardedFunction.Check check) {
        for (Object id : holder.getAllIds()) {
            if (id instanceof String name && !name.equals("constructor")) {
                guard(holder, name, check);
            }
        }
        guard(holder, SymbolKey.ITERATOR, check);
    }

    private void guard(ScriptableObject holder, String name, GuardedFunction.Check check) {
        if (holder.get(name, holder) instanceof BaseFunction original) {
            holder.defineProperty(
                    name, new GuardedFunction(global, original, check), ScriptableObject.DONTENUM);
        }
    }

    private void guard(ScriptableObject holder, Symbol symbol, GuardedFunction.Check check) {
        if (holder.get(symbol, holder) instanceof BaseFunction original) {
            holder.put(
                    symbol,
                    holder,
                    new GuardedFunction(global, original, check)); // as hidden as before
        }
    }

    private void replace(ScriptableObject holder, String name, int arity, BuiltIn.Body body) {
        holder.defineProperty(
                name, new BuiltIn(global, name, arity, body), ScriptableObject.DONTENUM);
    }

    // checks

    private Object[] arrayCall(Context cx, Scriptable self, Object[] arguments) {
        double length = CallBounds.lengthOf(self);
        for (Object argument : arguments) {
            if (argument instanceof NativeArray array) {
                length += array.getLength();
            }
        }
        bounds.checkElements(length);
        CallBounds.charge((long) (8 * length));
        return arguments;
    }

    private Object[] arrayLikes(Context cx, Scriptable self, Object[] arguments) {
        for (Object argument : arguments) {
            bounds.checkElements(CallBounds.lengthOf(argument));
        }
        return arguments;
    }

    private Object[] stringCall(Context cx, Scriptable self, Object[] arguments) {
        bounds.checkText(CallBounds.textLength(self));
        for (Object argument : arguments) {
            if (argument instanceof CharSequence text) {
                bounds.checkText(text.length());
            }
        }
        return arguments;
    }

    private Object[] shortText(Context cx, Scriptable self, Object[] arguments) {
        bounds.checkElements((double) CallBounds.textLength(self));
        for (Object argument : arguments) {
            bounds.checkElements((double) CallBounds.textLength(argument));
        }
        return stringCall(cx, self, arguments);
    }

    /** Of what is made a regular expression of, unless it is one. */
    private Object[] pattern(Context cx, Scriptable self, Object[] arguments) {
        return GuardedRegExp.check(shortText(cx, self, arguments));
    }

    /** The text that a regular expression is to be applied to. */
    private Object[] subject(Context cx, Scriptable self, Object[] arguments) {
        Object[] checked = arguments.length == 0 ? new Object[1] : arguments.clone();
        checked[0] = bounds.text(BuiltIn.argument(arguments, 0));
        return checked;
    }

    private static Object[] step(Context cx, Scriptable self, Object[] arguments) {
        CallBounds.charge(STEP_BYTES);
        return arguments;
    }

    private Object[] repeat(Context cx, Scriptable self, Object[] arguments) {
        double count = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
        bounds.checkText((long) (bounds.text(self).length() * Math.max(count, 0)));
        return new Object[] {count};
    }

    private Object[] pad(Context cx, Scriptable self, Object[] arguments) {
        double length = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
        bounds.checkText((long) length);
        Object[] checked = arguments.clone();
        if (checked.length > 0) {
            checked[0] = length;
        }
        return checked;
    }

    private Object[] concat(Context cx, Scriptable self, Object[] arguments) {
        long length = bounds.text(self).length();
        Object[] texts = new Object[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            String text = bounds.text(arguments[i]);
            texts[i] = text;
            length += text.length();
            bounds.checkText(length);
        }
        return texts;
    }

    private Object[] replaceText(Context cx, Scriptable self, Object[] arguments) {
        bounds.checkElements((double) CallBounds.textLength(self));
        long length = bounds.text(self).length();
        if (arguments.length < 2) {
            return arguments;
        }
        Object[] checked = arguments.clone();
        if (arguments[1] instanceof Callable replacement) {
            checked[1] = new Replacement(global, bounds, replacement);
        } else {
            String replacement = bounds.text(arguments[1]);
            checked[1] = replacement;
            long references = replacement.chars().filter(c -> c == '$').count();
            long most = (length + 1) * (replacement.length() + references * length + 1);
            if (replacement.length() > 1 && most > 16L * limits.text()) {
                throw CallBounds.tooLong("characters", limits.text());
            }
            CallBounds.charge(Math.min(most, 16L * limits.text()));
        }
        return checked;
    }

    private Object[] raw(Context cx, Scriptable self, Object[] arguments) {
        if (BuiltIn.argument(arguments, 0) instanceof Scriptable template) {
            bounds.checkElements(
                    CallBounds.lengthOf(ScriptableObject.getProperty(template, "raw")));
        }
        return arguments;
    }

    private Object[] apply(Context cx, Scriptable self, Object[] arguments) {
        bounds.checkElements(CallBounds.lengthOf(BuiltIn.argument(arguments, 1)));
        return arguments;
    }

    private Object[] stringify(Object[] arguments) {
        Object[] counted = new Object[3];
        for (int i = 0; i < counted.length; i++) {
            counted[i] = BuiltIn.argument(arguments, i);
        }
        counted[1] = new JsonReplacer(global, bounds, counted[1]);
        return counted;
    }

    // replacements

    private Object join(Context cx, Object self, Object[] arguments) {
        Scriptable object = ScriptRuntime.toObject(cx, global, self);
        double length = CallBounds.lengthOf(object);
        bounds.checkElements(length);
        Object given = BuiltIn.argument(arguments, 0);
        String separator = Undefined.isUndefined(given) ? "," : bounds.text(given);
        if (!joining.add(object)) {
            return ""; // it is in itself
        }
        try {
            StringBuilder joined = new StringBuilder();
            for (int i = 0; i < length; i++) {
                if (i > 0) {
                    joined.append(separator);
                }
                Object element = ScriptableObject.getProperty(object, i);
                if (element != null
                        && !(element instanceof UniqueTag)
                        && !Undefined.isUndefined(element)) {
                    joined.append(bounds.text(element));
                }
                if (joined.length() > limits.text()) {
                    throw CallBounds.tooLong("characters", limits.text());
                }
            }
            bounds.checkText(joined.length());
            return joined.toString();
        } finally {
            boolean _ = joining.remove(object);
        }
    }

    /** In the global scope, as every call of it but by its very name is. */
    private Object eval(Sandbox.Cell cell, Object[] arguments) {
        if (!(BuiltIn.argument(arguments, 0) instanceof CharSequence code)) {
            return BuiltIn.argument(arguments, 0);
        }
        String source = bounds.text(code);
        String name = ScriptPlace.ofCaller().file() + "(eval)";
        ScriptSource.check(source, name);
        return cell.evaluateString(global, source, name, 1, null);
    }
}
