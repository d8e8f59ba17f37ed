package io.holdfast.authority.rules.sandbox;

import java.util.List;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.Constructable;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.NativeObject;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;
import org.mozilla.javascript.SymbolKey;
import org.mozilla.javascript.Undefined;

/**
 * The built-in objects of the language: {@code Object}, {@code Array}, {@code String} and so on,
 * without those that no rule of polkit needs. The global scopes of all evaluations inherit from one
 * sealed set of them, since making a set takes much longer than a check: an attempt to change one
 * throws {@link BuiltInChange}. A rule that needs such a change gets a set of its own.
 *
 * <p>Nothing is checked within a call of a built-in function. So the ones that can make a long text
 * of texts that a caller chooses reserve the memory for it first, and those that would take
 * quadratic time for such texts are bounded or replaced. Immutable once sealed; then thread-safe.
 */
public final class BuiltIns {
    private static final Set<String> GLOBALS =
            Set.of(
                    ("Object Function Error EvalError RangeError ReferenceError SyntaxError"
                                    + " TypeError URIError InternalError Array String Boolean Number"
                                    + " Date Math JSON RegExp Map Set WeakMap WeakSet Symbol NaN"
                                    + " Infinity undefined eval decodeURI decodeURIComponent encodeURI"
                                    + " encodeURIComponent escape unescape isFinite isNaN parseFloat"
                                    + " parseInt")
                            .split(" "));

    /** The bytes of a character in a text, and of an element of an array that is made of a text. */
    private static final double CHARACTER = 2;

    private static final double ELEMENT = 64;

    /** More than any budget; a larger number of bytes could overflow. */
    private static final double MOST_BYTES = 1L << 60;

    /** The maximum number of pairs of characters that a search for a text may compare. */
    private static final double MOST_COMPARED = 1 << 26;

    private final ScriptableObject library;

    private BuiltIns(ScriptableObject library) {
        this.library = library;
    }

    /** Returns whether scripts find a built-in object or function by this name. */
    public static boolean has(String name) {
        return GLOBALS.contains(name);
    }

    /** Makes a set for one evaluation, which may change it. */
    public static BuiltIns own(RuleSandbox.Cell cell) {
        ScriptableObject library = cell.initSafeStandardObjects(null, false);
        for (Object id : library.getAllIds()) {
            String name = id.toString();
            if (GLOBALS.contains(name)) {
                Object _ = library.get(name, library); // makes what exists at its first use
            } else {
                library.setAttributes(name, ScriptableObject.EMPTY); // or delete has no effect
                library.delete(name);
            }
        }
        BuiltIns made = new BuiltIns(library);
        made.guard(cell);
        return made;
    }

    /** Makes a set that nothing can change. */
    static BuiltIns sealed(RuleSandbox.Cell cell) {
        BuiltIns made = own(cell);
        Function reachable =
                (Function) cell.evaluateString(made.library, REACHABLE, Prelude.NAME, 1, null);
        Object found = reachable.call(cell, made.library, made.library, new Object[0]);
        for (Object each : ((NativeArray) found).toArray()) {
            ((ScriptableObject) each).sealObject();
        }
        made.library.sealObject();
        return made;
    }

    /** Makes a global scope, whose variables belong to one evaluation. */
    public ScriptableObject global() {
        ScriptableObject global = new NativeObject();
        global.setPrototype(library);
        global.setParentScope(null);
        return global;
    }

    /** Returns the objects that scripts can reach from an empty global scope. */
    static final String REACHABLE =
            """
            (function () {
                var global = this, found = [], seen = new Set();
                function add(value) {
                    if (value !== null && (typeof value === "object" || typeof value === "function")
                            && value !== global && !seen.has(value)) {
                        seen.add(value);
                        found.push(value);
                    }
                }
                function addAll(value) {
                    Object.getOwnPropertyNames(value).concat(Object.getOwnPropertySymbols(value))
                        .forEach(function (name) {
                            try { value[name]; } catch (e) {} // makes what exists at its first use
                            var property = Object.getOwnPropertyDescriptor(value, name);
                            if (property !== undefined) {
                                add(property.value);
                                add(property.get);
                                add(property.set);
                            }
                        });
                    add(Object.getPrototypeOf(value));
                }
                addAll(global);
                [[][Symbol.iterator](), ""[Symbol.iterator](), "".matchAll(/./g), new Map().entries(),
                    new Set().entries(), function* () {}, (function* () {})(), arguments].forEach(add);
                for (var i = 0; i < found.length; i++) {
                    addAll(found[i]);
                }
                return found;
            })
            """;

    /** What a built-in function does before its work. */
    @FunctionalInterface
    private interface Before {
        void check(RuleSandbox.Cell cell, Scriptable self, Object[] arguments);
    }

    private void guard(RuleSandbox.Cell cell) {
        Before changesSelf = (_, self, _) -> requireOpen(self);
        Before changesArgument = (_, _, given) -> requireOpen(BuiltIn.argument(given, 0));
        wrap("Object", CHANGE_ARGUMENT, changesArgument);
        wrap("Array", CHANGE_ARRAY, changesArgument);
        wrap("Array", "from of", (_, self, _) -> requireConstructsNew(self));
        wrap("Array", "from", (each, _, given) -> elements(each, BuiltIn.argument(given, 0)));
        wrap("JSON", "stringify", (each, _, given) -> elements(each, BuiltIn.argument(given, 0)));
        wrap("Array.prototype", CHANGE_ARRAY, changesSelf);
        wrap("Array.prototype", ALL_ELEMENTS, (each, self, _) -> elements(each, self));
        wrap("Date.prototype", CHANGE_DATE, changesSelf);
        wrap("RegExp.prototype", "compile", changesSelf);
        wrap("String.prototype", "repeat", BuiltIns::repeats);
        wrap("String.prototype", "padEnd padStart", BuiltIns::pads);
        wrap("String.prototype", "replace", (each, self, given) -> replaces(each, self, given, 1));
        wrap(
                "String.prototype",
                "replaceAll",
                (each, self, given) -> replaces(each, self, given, Integer.MAX_VALUE));
        wrap("String.prototype", "includes indexOf lastIndexOf", BuiltIns::searches);
        wrap(
                "String.prototype",
                "match matchAll split",
                (each, self, given) -> {
                    searches(each, self, given);
                    reserve(each, ELEMENT * length(self));
                });
        wrap("Array.prototype", "join", BuiltIns::joins);
        ScriptableObject texts = (ScriptableObject) object("String").get("prototype");
        replace(texts, "localeCompare", BuiltIns::compare);
        replace(texts, "toLowerCase toLocaleLowerCase", changed(Character::toLowerCase));
        replace(texts, "toUpperCase toLocaleUpperCase", changed(Character::toUpperCase));
        texts.delete("normalize"); // takes quadratic time for some texts
        ScriptableObject arrays = (ScriptableObject) object("Array").get("prototype");
        arrays.delete(SymbolKey.UNSCOPABLES); // only for "with", and a value of the interpreter's
        arrays.delete(""); // from which it is made
        object("Symbol")
                .setAttributes("species", ScriptableObject.EMPTY); // or delete has no effect
        object("Symbol").delete("species"); // by which functions of arrays change any object
        for (String name : List.of("Array", "Map", "RegExp", "Set")) {
            if (object(name).has(SymbolKey.SPECIES, object(name))) {
                object(name).setAttributes(SymbolKey.SPECIES, ScriptableObject.EMPTY);
                object(name).delete(SymbolKey.SPECIES);
            }
        }
        object("Symbol").delete("for"); // a registry that outlives the evaluation
        object("Symbol").delete("keyFor");
        Object _ = cell.evaluateString(library, PROTOTYPE, Prelude.NAME, 1, null);
        Object iterators = cell.evaluateString(library, ITERATORS, Prelude.NAME, 1, null);
        for (Object each : ((NativeArray) iterators).toArray()) {
            wrap((ScriptableObject) each, "next return throw", changesSelf);
        }
    }

    private static final String CHANGE_ARGUMENT =
            "defineProperties defineProperty freeze preventExtensions seal setPrototypeOf";

    private static final String CHANGE_ARRAY =
            "copyWithin fill pop push reverse shift sort splice unshift";

    /** Those that take time for each element, even for one that a sparse array does not have. */
    private static final String ALL_ELEMENTS =
            "concat copyWithin every fill filter find findIndex findLast findLastIndex flat"
                    + " flatMap forEach includes indexOf join lastIndexOf map reduce reduceRight"
                    + " reverse shift slice some sort splice toLocaleString toReversed toSorted"
                    + " toSource toSpliced toString unshift with";

    private static final String CHANGE_DATE =
            "setDate setFullYear setHours setMilliseconds setMinutes setMonth setSeconds setTime"
                    + " setUTCDate setUTCFullYear setUTCHours setUTCMilliseconds setUTCMinutes"
                    + " setUTCMonth setUTCSeconds setYear";

    /** Makes an assignment to {@code __proto__} a call of the guarded function. */
    private static final String PROTOTYPE =
            """
            (function (getPrototypeOf, setPrototypeOf) {
                Object.defineProperty(Object.prototype, "__proto__", {
                    get: function () { return getPrototypeOf(this); },
                    set: function (prototype) { setPrototypeOf(this, prototype); }
                });
            })(Object.getPrototypeOf, Object.setPrototypeOf);
            """;

    private void wrap(String path, String names, Before before) {
        int dot = path.indexOf('.');
        ScriptableObject holder = object(dot < 0 ? path : path.substring(0, dot));
        if (dot > 0) {
            holder = (ScriptableObject) ScriptableObject.getProperty(holder, "prototype");
        }
        wrap(holder, names, before);
    }

    private void wrap(ScriptableObject holder, String names, Before before) {
        for (String name : names.split(" ")) {
            if (holder.get(name, holder) instanceof BaseFunction original) {
                replace(
                        holder,
                        name,
                        (cell, self, arguments) -> {
                            before.check(cell, self, arguments);
                            return original.call(cell, library, self, arguments);
                        });
            }
        }
    }

    private void replace(ScriptableObject holder, String names, BuiltIn.Body body) {
        for (String name : names.split(" ")) {
            holder.setAttributes(name, ScriptableObject.DONTENUM); // or put has no effect
            holder.put(name, holder, new BuiltIn(library, name, body));
        }
    }

    private ScriptableObject object(String name) {
        return (ScriptableObject) library.get(name, library);
    }

    /** Sealing an object does not keep these functions from changing it. */
    private static void requireOpen(Object value) {
        if (value instanceof ScriptableObject object && object.isSealed()) {
            throw new BuiltInChange();
        }
    }

    /** The prototypes of iterators, which have the state of an iteration themselves. */
    private static final String ITERATORS =
            """
            [[][Symbol.iterator](), ""[Symbol.iterator](), "".matchAll(/./g), new Map().entries(),
                new Set().entries(), Object.getPrototypeOf((function* () {})())]
                .map(function (each) { return Object.getPrototypeOf(each); });
            """;

    /** Array.from and Array.of define elements of what a constructor returns, sealed or not. */
    @SuppressWarnings("ReferenceEquality") // this very constructor
    private void requireConstructsNew(Scriptable self) {
        if (library.isSealed() && self instanceof Constructable && self != object("Array")) {
            throw new BuiltInChange();
        }
    }

    /** Reserves the memory for the elements of an array, even for those that it does not have. */
    private static void elements(RuleSandbox.Cell cell, Object value) {
        if (value instanceof Scriptable array && !Undefined.isUndefined(array)) {
            Object length = ScriptableObject.getProperty(array, "length");
            if (length instanceof Number || length instanceof CharSequence) {
                reserve(cell, ELEMENT * ScriptRuntime.toNumber(length));
            }
        }
    }

    private static void reserve(RuleSandbox.Cell cell, double bytes) {
        cell.reserve((long) Math.min(bytes, MOST_BYTES));
    }

    private static double length(Object text) {
        return ScriptRuntime.toString(text).length();
    }

    /**
     * Compares UTF-16 code units: the collation of a locale takes quadratic time for some texts.
     */
    private static Object compare(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        String other = ScriptRuntime.toString(BuiltIn.argument(arguments, 0));
        return Integer.signum(ScriptRuntime.toString(self).compareTo(other));
    }

    /** Maps single characters: mapping in context takes quadratic time for some texts. */
    private static BuiltIn.Body changed(IntUnaryOperator change) {
        return (_, self, _) -> {
            StringBuilder changed = new StringBuilder();
            ScriptRuntime.toString(self).codePoints().map(change).forEach(changed::appendCodePoint);
            return changed.toString();
        };
    }

    private static void repeats(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        double times = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
        reserve(cell, CHARACTER * length(self) * Math.max(times, 0));
    }

    private static void pads(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        reserve(cell, CHARACTER * ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0)));
    }

    /**
     * Reserves the longest result.
     *
     * @param most how often a text is replaced at most; a regular expression may match everywhere
     */
    private static void replaces(
            RuleSandbox.Cell cell, Scriptable self, Object[] arguments, int most) {
        searches(cell, self, arguments);
        double length = length(self);
        Object pattern = BuiltIn.argument(arguments, 0);
        Object replacement = BuiltIn.argument(arguments, 1);
        double each = 1;
        if (!(replacement instanceof Callable)) { // otherwise each call is checked
            String text = ScriptRuntime.toString(replacement);
            each = text.length() + length * text.chars().filter(c -> c == '$').count();
        }
        double times =
                pattern instanceof Scriptable && !Undefined.isUndefined(pattern)
                        ? length + 1
                        : Math.min(most, length / Math.max(length(pattern), 1) + 1);
        reserve(cell, ELEMENT * length + CHARACTER * each * times);
    }

    /** Checks that a search for a text from each place of another ends soon. */
    private static void searches(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        if (BuiltIn.argument(arguments, 0) instanceof CharSequence wanted
                && length(self) * wanted.length() > MOST_COMPARED) {
            throw ScriptRuntime.rangeError(
                    "a search for %d characters in %.0f".formatted(wanted.length(), length(self)));
        }
    }

    private static void joins(RuleSandbox.Cell cell, Scriptable self, Object[] arguments) {
        if (self instanceof NativeArray array) {
            Object separator = BuiltIn.argument(arguments, 0);
            reserve(
                    cell,
                    CHARACTER
                            * array.getLength()
                            * (Undefined.isUndefined(separator) ? 1 : length(separator)));
        }
    }
}
