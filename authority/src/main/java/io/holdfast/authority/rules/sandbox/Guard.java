package io.holdfast.authority.rules.sandbox;

import java.util.Arrays;
import org.mozilla.javascript.BaseFunction;
import org.mozilla.javascript.Callable;
import org.mozilla.javascript.NativeArray;
import org.mozilla.javascript.ScriptRuntime;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.Undefined;

/**
 * What stands before a built-in function of the interpreter, by the kind of its work: it bounds
 * what one call goes through and makes, and reserves the memory for it, since the interpreter
 * cannot be asked to stop within a call. An array-like is copied into an array once, so that the
 * function does not ask a script a second time how long it is.
 */
@FunctionalInterface
interface Guard {
    /**
     * By how much a text that is replaced in every place may exceed the longest: most of them are
     * replaced in few.
     */
    double MOST_REPLACED = 16;

    /** Characters that a search for a text may compare. */
    long MOST_COMPARED = 1 << 26;

    /** Memory for each element that a function makes an object of. In bytes. */
    long OBJECT_BYTES = 48;

    Object call(
            Sandbox.Cell cell,
            BaseFunction original,
            Scriptable scope,
            Scriptable self,
            Object[] arguments);

    /** Goes once through what it is given. */
    Guard PLAIN =
            (cell, original, scope, self, arguments) -> {
                long weight = Bounds.weight(self);
                for (Object argument : arguments) {
                    weight += Bounds.weight(argument);
                }
                cell.reserve(weight);
                return original.call(cell, scope, self, arguments);
            };

    /** Makes an object of each character of a text. */
    Guard SPLITS =
            (cell, original, scope, self, arguments) -> {
                cell.reserve(OBJECT_BYTES / 2 * Bounds.weight(self));
                return original.call(cell, scope, self, pattern(arguments));
            };

    /** Goes through the elements of an array, or of what passes for one. */
    Guard READS_ARRAY =
            (cell, original, scope, self, arguments) -> {
                NativeArray array = Bounds.array(cell, self);
                cell.reserve(8 * array.getLength());
                return original.call(cell, scope, array, arguments);
            };

    /** Appends arrays to a copy of one. */
    Guard CONCATENATES =
            (cell, original, scope, self, arguments) -> {
                NativeArray array = Bounds.array(cell, self);
                double length = array.getLength();
                for (Object argument : arguments) {
                    length += argument instanceof NativeArray more ? more.getLength() : 1;
                }
                Bounds.requireElements(cell, length);
                cell.reserve((long) (8 * length));
                return original.call(cell, scope, array, arguments);
            };

    /** Goes through an array and changes it. */
    Guard CHANGES_ARRAY =
            (cell, original, scope, self, arguments) -> {
                if (!(self instanceof NativeArray array)) {
                    throw ScriptRuntime.typeError(
                            original.getFunctionName() + " changes arrays, and nothing else");
                }
                Bounds.requireElements(cell, (double) array.getLength() + arguments.length);
                cell.reserve(8 * array.getLength());
                return original.call(cell, scope, self, arguments);
            };

    /** Calls a function with the elements of what passes for an array. */
    Guard APPLIES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.clone();
                if (copied.length > 1 && copied[1] instanceof Scriptable list) {
                    NativeArray array = Bounds.array(cell, list);
                    cell.reserve(8 * array.getLength());
                    copied[1] = array;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Repeats a text. */
    Guard REPEATS =
            (cell, original, scope, self, arguments) -> {
                double count = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
                String text = Bounds.text(cell, self);
                Bounds.requireText(cell, text.length() * Math.max(count, 0));
                return original.call(cell, scope, asObject(cell, text), new Object[] {count});
            };

    /** Fills a text up to a length. */
    Guard PADS =
            (cell, original, scope, self, arguments) -> {
                double length = ScriptRuntime.toInteger(BuiltIn.argument(arguments, 0));
                Bounds.requireText(cell, length);
                Object[] copied = arguments.clone();
                if (copied.length > 0) {
                    copied[0] = length;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Joins texts. */
    Guard JOINS_TEXTS =
            (cell, original, scope, self, arguments) -> {
                double length = Bounds.text(cell, self).length();
                Object[] texts = new Object[arguments.length];
                for (int i = 0; i < arguments.length; i++) {
                    String text = Bounds.text(cell, arguments[i]);
                    texts[i] = text;
                    length += text.length();
                    Bounds.requireText(cell, length);
                }
                return original.call(cell, scope, self, texts);
            };

    /** Replaces parts of a text, perhaps each of them by the whole. */
    Guard REPLACES =
            (cell, original, scope, self, arguments) -> {
                String text = Bounds.text(cell, self);
                Object[] copied = pattern(arguments).clone();
                replacement(cell, text, copied);
                return original.call(cell, scope, asObject(cell, text), copied);
            };

    /** Looks for a text in another, perhaps from each of its characters on. */
    Guard FINDS_TEXT =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.clone();
                if (copied.length > 0) {
                    String text = Bounds.text(cell, self);
                    String wanted = Bounds.text(cell, copied[0]);
                    requireSearch(text, wanted);
                    copied[0] = wanted;
                }
                return original.call(cell, scope, self, copied);
            };

    /** Takes its first argument for a regular expression, or makes one of it. */
    Guard SEARCHES =
            (cell, original, scope, self, arguments) -> {
                cell.reserve(Bounds.weight(self));
                return original.call(cell, scope, self, pattern(arguments));
            };

    /** A regular expression goes through a text. */
    Guard MATCHES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.length == 0 ? new Object[1] : arguments.clone();
                String text = Bounds.text(cell, BuiltIn.argument(arguments, 0));
                copied[0] = text;
                cell.reserve(OBJECT_BYTES / 2 * Bounds.weight(text));
                return original.call(cell, scope, self, copied);
            };

    /** A regular expression goes through a text, to replace parts of it. */
    Guard MATCHES_AND_REPLACES =
            (cell, original, scope, self, arguments) -> {
                Object[] copied = arguments.length == 0 ? new Object[1] : arguments.clone();
                String text = Bounds.text(cell, BuiltIn.argument(arguments, 0));
                copied[0] = text;
                replacement(cell, text, copied);
                return original.call(cell, scope, self, copied);
            };

    /** Writes JSON, without the spaces that would make lines of a deep tree long. */
    Guard WRITES_JSON =
            (cell, original, scope, self, arguments) -> {
                Object value = BuiltIn.argument(arguments, 0);
                Object replacer = new JsonReplacer(cell.global(), BuiltIn.argument(arguments, 1));
                return original.call(cell, scope, self, new Object[] {value, replacer});
            };

    /** Binds arguments to a function: where such functions nest, each asks anew. */
    Guard BINDS =
            (cell, original, scope, self, arguments) -> {
                if (!(self instanceof BaseFunction function)) {
                    throw ScriptRuntime.typeError("bind: not a function");
                }
                BoundTarget target = new BoundTarget(cell.global(), function);
                return original.call(cell, scope, target, arguments);
            };

    /**
     * Some of the arguments are numbers: they are made ones first, for a script that is asked for
     * one could change the array meanwhile.
     */
    static Guard withNumbers(int first, int last, Guard next) {
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

    private static Scriptable asObject(Sandbox.Cell cell, String text) {
        return ScriptRuntime.toObject(cell, cell.global(), text);
    }

    private static void requireSearch(String text, String wanted) {
        if ((long) text.length() * wanted.length() > MOST_COMPARED) {
            throw ScriptRuntime.rangeError(
                    "a search for %d characters in %d".formatted(wanted.length(), text.length()));
        }
    }

    /** Bounds what takes the place of parts of a text: the second argument. */
    private static void replacement(Sandbox.Cell cell, String text, Object[] arguments) {
        double most = text.length();
        if (arguments.length > 1 && arguments[1] instanceof Callable function) {
            arguments[1] = new Replacement(cell.global(), function);
        } else if (arguments.length > 1) {
            String replacement = Bounds.text(cell, arguments[1]);
            arguments[1] = replacement;
            double references = replacement.chars().filter(c -> c == '$').count();
            double each = replacement.length() + references * text.length();
            most = each <= 1 ? most : each * (text.length() + 1);
            Bounds.requireText(cell, most / MOST_REPLACED);
        }
        cell.reserve((long) (2 * most) + OBJECT_BYTES / 2 * Bounds.weight(text));
    }

    /** With a pattern that is not too long in its place, if it is a text. */
    private static Object[] pattern(Object[] arguments) {
        return arguments.length == 0
                ? arguments
                : GuardedRegExp.checked(Arrays.copyOf(arguments, arguments.length));
    }
}
