package io.holdfast.authority.rules.sandbox;

import java.util.Arrays;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.Undefined;

/**
 * Runs before a built-in function of the interpreter, by the function's kind of work: it bounds
 * what one call reads and makes, and reserves the memory for it, since the interpreter cannot be
 * stopped within a call. An array-like is copied into an array once, so that the function does not
 * call a script a second time for its length.
 */
@FunctionalInterface
interface BuiltinGuard {
    /**
     * How far the longest possible result of a replacement, one at every place, may exceed the
     * limit of texts: most replacements happen at few places.
     */
    double MOST_REPLACED = 16;

    /** The maximum number of pairs of characters that a search for a text may compare. */
    long MOST_COMPARED = 1 << 26;

    /** The bytes of each element for which a function makes an object. */
    long OBJECT_BYTES = 48;

    Object call(
            RuleSandbox.Cell cell,
            BaseFunction original,
            Scriptable scope,
            Scriptable self,
            Object[] arguments);

    /** Guards a function that goes once through its arguments. */
    BuiltinGuard PLAIN =
            (cell, original, scope, self, arguments) -> {
                long weight = LengthLimits.weight(self);
                for (Object argument : arguments) {
                    weight += LengthLimits.weight(argument);
                }
                cell.reserve(weight);
                return original.call(cell, scope, self, arguments);
            };

    /** Guards a function that makes an object of each character of a text. */
    BuiltinGuard SPLITS =
            (cell, original, scope, self, arguments) -> {
                cell.reserve(OBJECT_BYTES / 2 * LengthLimits.weight(self));
                return original.call(cell, scope, self, pattern(arguments));
            };

    /** Guards a function that goes through the elements of an array or array-like. */
    BuiltinGuard READS_ARRAY =
            (cell, original, scope, self, arguments) -> {
                NativeArray array = LengthLimits.array(cell, self);
                cell.reserve(8 * array.getLength());
                return original.call(cell, scope, array, arguments);
            };

    /** Guards a function that appends arrays to a copy of an array. */
    BuiltinGuard CONCATENATES =
            (cell, original, scope, self, arguments) -> {
                NativeArray array = LengthLimits.array(cell, self);
                double length = array.getLength();
                for (Object argument : arguments) {
                    length += argument instanceof NativeArray more ? more.getLength() : 1;
                }
                LengthLimits.requireElements(cell, length);
                cell.reserve((long) (8 * length));
                return original.call(cell, scope, array, arguments);
            };

    /** Guards a function that goes through an array and changes it. */
    BuiltinGuard CHANGES_ARRAY =
            (cell, original, scope, self, arguments) -> {
                if (!(self instanceof NativeArray array)) {
                    throw ScriptRuntime.typeError(
                            original.getFunctionName() + " changes arrays, and nothing else");
                }
                LengthLimits.requireElements(cell, (double) array.getLength() + arguments.length);
                cell.reserve(8 * array.getLength());
                return original.call(cell, scope, self, arguments);
            };

    /** Guards a function that calls another with the elements of an array or array-like. */
    BuiltinGuard APPLIES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.clone();
                if (copied.length > 1 && copied[1] instanceof Scriptable list) {
                    NativeArray array = LengthLimits.array(cell, list);
                    cell.reserve(8 * array.getLength());
                    copied[1] = array;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Guards a function that repeats a text. */
    BuiltinGuard REPEATS =
            (cell, original, scope, self, arguments) -> {
                double count = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
                String text = LengthLimits.text(cell, self);
                LengthLimits.requireText(cell, text.length() * Math.max(count, 0));
                return original.call(cell, scope, asObject(cell, text), new Object[] {count});
            };

    /** Guards a function that pads a text to a length. */
    BuiltinGuard PADS =
            (cell, original, scope, self, arguments) -> {
                double length = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
                LengthLimits.requireText(cell, length);
                Object[] copied = arguments.clone();
                if (copied.length > 0) {
                    copied[0] = length;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Guards a function that joins texts. */
    BuiltinGuard JOINS_TEXTS =
            (cell, original, scope, self, arguments) -> {
                double length = LengthLimits.text(cell, self).length();
                Object[] texts = new Object[arguments.length];
                for (int i = 0; i < arguments.length; i++) {
                    String text = LengthLimits.text(cell, arguments[i]);
                    texts[i] = text;
                    length += text.length();
                    LengthLimits.requireText(cell, length);
                }
                return original.call(cell, scope, self, texts);
            };

    /** Guards a function that replaces parts of a text, perhaps each by the whole text. */
    BuiltinGuard REPLACES =
            (cell, original, scope, self, arguments) -> {
                String text = LengthLimits.text(cell, self);
                Object[] copied = pattern(arguments).clone();
                replacement(cell, text, copied);
                return original.call(cell, scope, asObject(cell, text), copied);
            };

    /** Guards a search for a text in another, perhaps from each of its characters. */
    BuiltinGuard FINDS_TEXT =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.clone();
                if (copied.length > 0) {
                    String text = LengthLimits.text(cell, self);
                    String wanted = LengthLimits.text(cell, copied[0]);
                    requireSearch(text, wanted);
                    copied[0] = wanted;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Guards a function that uses its first argument as a regular expression. */
    BuiltinGuard SEARCHES =
            (cell, original, scope, self, arguments) -> {
                cell.reserve(LengthLimits.weight(self));
                return original.call(cell, scope, self, pattern(arguments));
            };

    /** Guards the match of a regular expression with a text. */
    BuiltinGuard MATCHES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.length == 0 ? new Object[1] : arguments.clone();
                String text = LengthLimits.text(cell, BuiltIn.argument(arguments, 0));
                copied[0] = text;
                cell.reserve(OBJECT_BYTES / 2 * LengthLimits.weight(text));
                return original.call(cell, scope, self, copied);
            };

    /** Guards the replacement of parts of a text by a regular expression. */
    BuiltinGuard MATCHES_AND_REPLACES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.length == 0 ? new Object[1] : arguments.clone();
                String text = LengthLimits.text(cell, BuiltIn.argument(arguments, 0));
                copied[0] = text;
                replacement(cell, text, copied);
                return original.call(cell, scope, self, copied);
            };

    /** Guards JSON output, and drops indentation, which would lengthen the lines of a deep tree. */
    BuiltinGuard WRITES_JSON =
            (cell, original, scope, self, arguments) -> {
                Object value = BuiltIn.argument(arguments, 0);
                Object replacer = new JsonReplacer(cell.global(), BuiltIn.argument(arguments, 1));
                return original.call(cell, scope, self, new Object[] {value, replacer});
            };

    /** Guards the binding of arguments: nested bound functions reserve memory at each call. */
    BuiltinGuard BINDS =
            (cell, original, scope, self, arguments) -> {
                if (!(self instanceof BaseFunction function)) {
                    throw ScriptRuntime.typeError("bind: not a function");
                }
                BoundTarget target = new BoundTarget(cell.global(), function);
                return original.call(cell, scope, target, arguments);
            };

    /**
     * Converts some of the arguments to numbers before the next guard: the conversion may run a
     * script, which could change the array later.
     */
    static BuiltinGuard withNumbers(int first, int last, BuiltinGuard next) {
        return (cell, original, scope, self, arguments) -> {
            Object[] copied = arguments.clone();
            for (int i = first; i <= Math.min(last, copied.length - 1); i++) {
                if (copied[i] instanceof Scriptable && !Undefined.isUndefined(copied[i])) {
                    copied[i] = ScriptRuntime.toNumber(copied[i]);
                }
            }
            return next.call(cell, original, scope, self, copied);
        };
    }

    private static Scriptable asObject(RuleSandbox.Cell cell, String text) {
        return ScriptRuntime.toObject(cell, cell.global(), text);
    }

    private static void requireSearch(String text, String wanted) {
        if ((long) text.length() * wanted.length() > MOST_COMPARED) {
            throw ScriptRuntime.rangeError(
                    "a search for %d characters in %d".formatted(wanted.length(), text.length()));
        }
    }

    /** Bounds the replacement for parts of a text, which is the second argument. */
    private static void replacement(RuleSandbox.Cell cell, String text, Object[] arguments) {
        double most = text.length();
        if (arguments.length > 1 && arguments[1] instanceof Callable function) {
            arguments[1] = new Replacement(cell.global(), function);
        } else if (arguments.length > 1) {
            String replacement = LengthLimits.text(cell, arguments[1]);
            arguments[1] = replacement;
            double references = replacement.chars().filter(c -> c == '$').count();
            double each = replacement.length() + references * text.length();
            most = each <= 1 ? most : each * (text.length() + 1);
            LengthLimits.requireText(cell, most / MOST_REPLACED);
        }
        cell.reserve((long) (2 * most) + OBJECT_BYTES / 2 * LengthLimits.weight(text));
    }

    /** Checks the length of the pattern, which is the first argument, if it is a text. */
    private static Object[] pattern(Object[] arguments) {
        return arguments.length == 0
                ? arguments
                : GuardedRegExp.checked(Arrays.copyOf(arguments, arguments.length));
    }
}
