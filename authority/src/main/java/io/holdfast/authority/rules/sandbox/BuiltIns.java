package io.holdfast.authority.rules.sandbox;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.Symbol;
import org.mozilla.javascript.SymbolKey;
import org.mozilla.javascript.Undefined;
import org.mozilla.javascript.UniqueTag;

/**
 * The built-in functions of scripts, each behind the {@link BuiltinGuard} for its kind of work. A
 * function that is not in the table is removed, even if a later interpreter adds it. Also removed
 * are the parts of the language that no polkit rule needs and no guard could bound: big integers,
 * typed arrays, proxies, promises, and compiling code from text except by {@code eval}.
 *
 * <p>An entry is {@code object: names}, where {@code @@name} is a well-known symbol. Iterators have
 * no constructor that could name their prototype; the table uses the interpreter's own names.
 */
public final class BuiltIns {
    /** Constructors, objects and values without a guard; their functions are in the table. */
    private static final Set<String> OBJECTS =
            Set.of(
                    ("Object Function Error EvalError RangeError ReferenceError SyntaxError"
                                    + " TypeError URIError InternalError Array String Boolean Number"
                                    + " Date Math JSON RegExp Map Set WeakMap WeakSet Symbol NaN"
                                    + " Infinity undefined eval")
                            .split(" "));

    /** The prototypes of iterators, by the interpreter's names. */
    private static final List<String> ITERATORS =
            List.of(
                    "ArrayIterator",
                    "StringIterator",
                    "RegExpStringIterator",
                    "Map Iterator",
                    "Set Iterator",
                    "Generator");

    private static final String PLAIN =
            """
            : decodeURI decodeURIComponent encodeURI encodeURIComponent escape isFinite isNaN
              parseFloat parseInt unescape
            Object: assign create defineProperties defineProperty entries freeze fromEntries
              getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames
              getOwnPropertySymbols getPrototypeOf hasOwn is isExtensible isFrozen isSealed keys
              preventExtensions seal setPrototypeOf values
            Object.prototype: __defineGetter__ __defineSetter__ __lookupGetter__ __lookupSetter__
              hasOwnProperty isPrototypeOf propertyIsEnumerable toLocaleString toString valueOf
            Function.prototype: toString @@hasInstance
            Error.prototype: toString
            Array: isArray of
            Array.prototype: entries keys values @@iterator
            String: fromCharCode fromCodePoint
            String.prototype: at charAt charCodeAt codePointAt endsWith slice startsWith substr substring toString trim trimEnd trimLeft trimRight trimStart
              valueOf @@iterator
            Boolean.prototype: toString valueOf
            Number: isFinite isInteger isNaN isSafeInteger parseFloat parseInt
            Number.prototype: toExponential toFixed toPrecision toString valueOf
            Date: UTC now parse
            Date.prototype: getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth
              getSeconds getTime getTimezoneOffset getUTCDate getUTCDay getUTCFullYear getUTCHours
              getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds getYear setDate setFullYear
              setHours setMilliseconds setMinutes setMonth setSeconds setTime setUTCDate
              setUTCFullYear setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth setUTCSeconds
              setYear toDateString toISOString toJSON toString toTimeString toUTCString valueOf
              @@toPrimitive
            Math: abs acos acosh asin asinh atan atan2 atanh cbrt ceil clz32 cos cosh exp expm1 floor
              fround hypot imul log log10 log1p log2 max min pow random round sign sin sinh sqrt tan
              tanh trunc
            JSON: parse
            RegExp.prototype: toString
            Map.prototype: clear delete entries forEach get has keys set values @@iterator
            Set.prototype: add clear delete entries forEach has keys values @@iterator
            WeakMap.prototype: delete get has set
            WeakSet.prototype: add delete has
            Symbol.prototype: toString valueOf @@toPrimitive
            ArrayIterator: next @@iterator
            StringIterator: next @@iterator
            RegExpStringIterator: next @@iterator
            Map_Iterator: next @@iterator
            Set_Iterator: next @@iterator
            Generator: next return throw @@iterator
            """;

    private static final Map<String, BuiltinGuard> GUARDS = new HashMap<>();

    static {
        add(
                BuiltinGuard.READS_ARRAY,
                "Array.prototype: every filter find findIndex findLast findLastIndex"
                        + " forEach map reduce reduceRight some toReversed");
        add(BuiltinGuard.withNumbers(0, 0, BuiltinGuard.READS_ARRAY), "Array.prototype: at with");
        add(
                BuiltinGuard.withNumbers(0, 1, BuiltinGuard.READS_ARRAY),
                "Array.prototype: slice toSpliced");
        add(BuiltinGuard.CONCATENATES, "Array.prototype: concat");
        add(BuiltinGuard.CHANGES_ARRAY, "Array.prototype: pop push reverse shift unshift");
        add(BuiltinGuard.withNumbers(0, 1, BuiltinGuard.CHANGES_ARRAY), "Array.prototype: splice");
        add(BuiltinGuard.withNumbers(1, 2, BuiltinGuard.CHANGES_ARRAY), "Array.prototype: fill");
        add(
                BuiltinGuard.withNumbers(0, 2, BuiltinGuard.CHANGES_ARRAY),
                "Array.prototype: copyWithin");
        add(BuiltinGuard.APPLIES, "Function.prototype: apply");
        add(BuiltinGuard.BINDS, "Function.prototype: bind");
        add(BuiltinGuard.REPEATS, "String.prototype: repeat");
        add(BuiltinGuard.PADS, "String.prototype: padEnd padStart");
        add(BuiltinGuard.JOINS_TEXTS, "String.prototype: concat");
        add(BuiltinGuard.REPLACES, "String.prototype: replace replaceAll");
        add(BuiltinGuard.SPLITS, "String.prototype: match matchAll split");
        add(BuiltinGuard.SEARCHES, "String.prototype: search");
        add(BuiltinGuard.FINDS_TEXT, "String.prototype: includes indexOf lastIndexOf");
        add(
                BuiltinGuard.MATCHES,
                "RegExp.prototype: exec test @@match @@matchAll @@search @@split");
        add(BuiltinGuard.MATCHES_AND_REPLACES, "RegExp.prototype: @@replace");
        add(BuiltinGuard.WRITES_JSON, "JSON: stringify");
        add(BuiltinGuard.PLAIN, PLAIN);
    }

    /**
     * A function without a guard: the interpreter itself handles {@code call}, so that a script
     * called by it can be suspended.
     */
    private static final String UNGUARDED = "Function.prototype.call";

    /** Names of properties that are not built-in functions of their object. */
    private static final Set<String> NOT_BUILT_IN = Set.of("constructor", "prototype", "arguments");

    /** Bytes reserved for each character of source text that is compiled. */
    private static final long PARSED = 32;

    /** Settings, not functions, that make the interpreter run scripts at unexpected points. */
    private static final List<String> SETTINGS = List.of("stackTraceLimit", "prepareStackTrace");

    /** Well-known symbols by which a script could make a built-in function evade its guard. */
    private static final List<String> UNBOUNDED_SYMBOLS =
            List.of("isConcatSpreadable", "species", "unscopables");

    private static final Map<String, Symbol> SYMBOLS =
            Map.of(
                    "@@iterator", SymbolKey.ITERATOR,
                    "@@hasInstance", SymbolKey.HAS_INSTANCE,
                    "@@toPrimitive", SymbolKey.TO_PRIMITIVE,
                    "@@match", SymbolKey.MATCH,
                    "@@matchAll", SymbolKey.MATCH_ALL,
                    "@@replace", SymbolKey.REPLACE,
                    "@@search", SymbolKey.SEARCH,
                    "@@split", SymbolKey.SPLIT);

    private final ScriptableObject global;
    private final Set<Scriptable> joining = Collections.newSetFromMap(new IdentityHashMap<>());

    private BuiltIns(ScriptableObject global) {
        this.global = global;
    }

    /** Makes the standard objects of a new realm. */
    public static ScriptableObject create(RuleSandbox.Cell cell) {
        ScriptableObject global = cell.initSafeStandardObjects(null, false);
        new BuiltIns(global).guard();
        return global;
    }

    private static void add(BuiltinGuard guard, String entries) {
        String object = "";
        for (String word : entries.strip().split("\\s+")) {
            if (word.endsWith(":")) {
                object = word.substring(0, word.length() - 1);
            } else {
                GUARDS.put(object.isEmpty() ? word : object + "." + word, guard);
            }
        }
    }

    /**
     * A change to a function of an object.
     *
     * @param id its name or symbol in the object
     * @param guard null to remove the function
     */
    private record Step(Object id, @Nullable BuiltinGuard guard) {}

    /** The steps for each object, computed for the first realm: all realms start identical. */
    private static final Map<String, List<Step>> STEPS = new ConcurrentHashMap<>();

    private void guard() {
        apply("", global);
        for (String name : OBJECTS) {
            if (global.get(name, global) instanceof ScriptableObject object) {
                apply(name, object);
                if (object.get("prototype", object) instanceof ScriptableObject prototype) {
                    apply(name + ".prototype", prototype);
                }
            }
        }
        for (String name : ITERATORS) {
            if (global.getAssociatedValue(name) instanceof ScriptableObject prototype) {
                apply(name.replace(' ', '_'), prototype);
            }
        }
        replace();
    }

    /** Puts the functions of an object behind their guards, and removes those without a guard. */
    private void apply(String path, ScriptableObject holder) {
        List<Step> steps = STEPS.get(path);
        if (steps == null) {
            steps = steps(path, holder);
            List<Step> _ = STEPS.put(path, steps);
        }
        for (Step step : steps) {
            switch (step.id()) {
                case String name when step.guard() == null -> holder.delete(name);
                case String name -> {
                    Object function = holder.get(name, holder);
                    holder.setAttributes(name, ScriptableObject.DONTENUM); // or put has no effect
                    holder.put(name, holder, guarded(function, step.guard()));
                }
                case Symbol symbol when step.guard() == null -> holder.delete(symbol);
                case Symbol symbol ->
                        holder.put(
                                symbol, holder, guarded(holder.get(symbol, holder), step.guard()));
                default -> throw new AssertionError(step);
            }
        }
    }

    private GuardedFunction guarded(Object function, BuiltinGuard guard) {
        return new GuardedFunction(global, (BaseFunction) function, guard);
    }

    private List<Step> steps(String path, ScriptableObject holder) {
        List<Step> steps = new ArrayList<>();
        Set<String> names = new TreeSet<>();
        for (Object id : holder.getAllIds()) {
            boolean _ = names.add(id.toString());
        }
        if (path.equals("Set.prototype")) {
            boolean _ = names.add("keys"); // the interpreter does not list it
        }
        for (String name : names) {
            if ((path.isEmpty() && OBJECTS.contains(name)) || NOT_BUILT_IN.contains(name)) {
                continue;
            }
            BuiltinGuard guard = GUARDS.get(path.isEmpty() ? name : path + "." + name);
            boolean isFunction =
                    path.isEmpty() // every global that is not listed, function or not
                            || isFunction(holder, name);
            if (guard != null || (isFunction && !UNGUARDED.equals(path + "." + name))) {
                steps.add(new Step(name, guard));
            }
        }
        for (Map.Entry<String, Symbol> each : SYMBOLS.entrySet()) {
            Symbol symbol = each.getValue();
            if (holder.get(symbol, holder) instanceof BaseFunction
                    && (holder.getAttributes(symbol) & ScriptableObject.READONLY) == 0) {
                steps.add(new Step(symbol, GUARDS.get(path + "." + each.getKey())));
            }
        }
        return List.copyOf(steps);
    }

    private static boolean isFunction(ScriptableObject holder, String name) {
        try {
            return holder.get(name, holder) instanceof BaseFunction;
        } catch (RhinoException e) {
            return false; // an accessor, which fails on this object
        }
    }

    private void replace() {
        ScriptableObject error = object("Error");
        SETTINGS.forEach(error::delete);
        ScriptableObject arrays = prototype("Array");
        BuiltIn join = new BuiltIn(global, "join", this::join);
        arrays.delete(SymbolKey.UNSCOPABLES); // only for "with", which is not supported
        arrays.delete(""); // the property from which the interpreter makes it
        hide(arrays, "join", join);
        BuiltIn text =
                new BuiltIn(global, "toString", (cx, self, _) -> join(cx, self, new Object[0]));
        hide(arrays, "toString", text);
        hide(arrays, "toLocaleString", text);
        ScriptableObject texts = prototype("String");
        hide(texts, "localeCompare", new BuiltIn(global, "localeCompare", BuiltIns::compare));
        BuiltIn lower = new BuiltIn(global, "toLowerCase", BuiltIns::lower);
        hide(texts, "toLowerCase", lower);
        hide(texts, "toLocaleLowerCase", lower);
        BuiltIn upper = new BuiltIn(global, "toUpperCase", BuiltIns::upper);
        hide(texts, "toUpperCase", upper);
        hide(texts, "toLocaleUpperCase", upper);
        ScriptableObject symbols = object("Symbol");
        for (String name : UNBOUNDED_SYMBOLS) {
            symbols.setAttributes(name, ScriptableObject.EMPTY); // or delete has no effect
            symbols.delete(name);
        }
        hide(global, "eval", new BuiltIn(global, "eval", BuiltIns::eval));
        NoCode noCode = new NoCode(global, prototype("Function"));
        hide(prototype("Function"), "constructor", noCode);
        hide(global, "Function", noCode);
        GuardedRegExp regExp = new GuardedRegExp(global, (BaseFunction) object("RegExp"));
        hide(prototype("RegExp"), "constructor", regExp);
        hide(global, "RegExp", regExp);
        // To the interpreter, a block with "let" is an object, in which names are looked up first.
        BuiltIn check = new BuiltIn(global, CheckedCode.CHECK, BuiltIns::check);
        fix(global, CheckedCode.CHECK, check);
        fix(prototype("Object"), CheckedCode.CHECK, check);
        fix(global, "Object", object("Object"));
    }

    /** Makes the prelude's additions to arrays non-enumerable, so that for…in skips them. */
    public static void hideAll(ScriptableObject global) {
        ScriptableObject array = (ScriptableObject) global.get("Array", global);
        ScriptableObject arrays = (ScriptableObject) array.get("prototype", array);
        for (ScriptableObject holder : new ScriptableObject[] {array, arrays}) {
            for (Object id : holder.getIds()) {
                holder.setAttributes(id.toString(), ScriptableObject.DONTENUM);
            }
        }
    }

    private static void hide(ScriptableObject holder, String name, Object value) {
        holder.defineProperty(name, value, ScriptableObject.DONTENUM);
    }

    /** Defines a property that no script can change. */
    private static void fix(ScriptableObject holder, String name, Object value) {
        holder.defineProperty(
                name,
                value,
                ScriptableObject.DONTENUM | ScriptableObject.READONLY | ScriptableObject.PERMANENT);
    }

    private ScriptableObject object(String name) {
        return (ScriptableObject) global.get(name, global);
    }

    private ScriptableObject prototype(String name) {
        return (ScriptableObject) ScriptableObject.getProperty(object(name), "prototype");
    }

    // ---- functions implemented here

    /** Throws a RangeError if the result of an operation is a text beyond the limit. */
    private static Object check(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        Object value = arguments[0];
        if (value instanceof CharSequence text) {
            LengthLimits.requireShort(cell, text);
        }
        return value;
    }

    private Object join(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        NativeArray array = LengthLimits.array(cell, self);
        long length = array.getLength(); // once: an element's toString may make it longer
        Object given = BuiltIn.argument(arguments, 0);
        String separator = Undefined.isUndefined(given) ? "," : LengthLimits.text(cell, given);
        if (!joining.add(self)) {
            return ""; // the array contains itself
        }
        try {
            StringBuilder joined = new StringBuilder();
            for (int i = 0; i < length; i++) {
                if (i > 0) {
                    joined.append(separator);
                }
                Object element = array.get(i, array);
                if (element != null
                        && !(element instanceof UniqueTag)
                        && !Undefined.isUndefined(element)) {
                    joined.append(LengthLimits.text(cell, element));
                }
                LengthLimits.requireShort(cell, joined);
            }
            return joined.toString();
        } finally {
            boolean _ = joining.remove(self);
        }
    }

    /**
     * Compares UTF-16 code units: the collation of a locale takes quadratic time for some texts.
     */
    private static Object compare(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        String other = LengthLimits.text(cell, BuiltIn.argument(arguments, 0));
        return Integer.signum(LengthLimits.text(cell, self).compareTo(other));
    }

    /** Maps single characters: mapping in context takes quadratic time for some texts. */
    private static Object lower(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        return map(LengthLimits.text(cell, self), Character::toLowerCase);
    }

    private static Object upper(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        return map(LengthLimits.text(cell, self), Character::toUpperCase);
    }

    private static String map(String text, IntUnaryOperator change) {
        StringBuilder changed = new StringBuilder(text.length());
        text.codePoints().map(change).forEach(changed::appendCodePoint);
        return changed.toString();
    }

    /** Evaluates code in the global scope, as JavaScript does for every indirect eval. */
    private static Object eval(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        if (!(BuiltIn.argument(arguments, 0) instanceof CharSequence code)) {
            return BuiltIn.argument(arguments, 0);
        }
        LengthLimits.requireShort(cell, code);
        cell.reserve(PARSED * LengthLimits.weight(code));
        String name = ScriptPlace.ofCaller().file() + "(eval)";
        return cell.evaluateString(cell.global(), code.toString(), name, 1, null);
    }
}
