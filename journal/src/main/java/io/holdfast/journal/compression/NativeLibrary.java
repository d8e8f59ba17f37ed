package io.holdfast.journal.compression;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/**
 * A shared library of the system. All functions have one of two shapes, six or nine words in and
 * one word out; the upper half of an {@code int} result is undefined.
 */
final class NativeLibrary {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final FunctionDescriptor WORDS =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final FunctionDescriptor NINE_WORDS =
            WORDS.appendArgumentLayouts(JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private final String name;
    private final String remedy;
    private final SymbolLookup symbols;

    /**
     * Loads the library.
     *
     * @param name its soname
     * @param debianPackage the package that has it on Debian, for messages
     * @throws CodecException if it is not installed
     */
    @SuppressWarnings("restricted") // the one place that loads a library
    NativeLibrary(String name, String debianPackage) throws CodecException {
        this.name = name;
        this.remedy = "install it (Debian's package " + debianPackage + ")";
        try {
            symbols = SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new CodecException("the library " + name + " is missing; " + remedy);
        } catch (IllegalCallerException e) {
            Module module = NativeLibrary.class.getModule();
            throw new CodecException(
                    "this JVM denies native access to "
                            + name
                            + "; start java with --enable-native-access="
                            + (module.isNamed()
                                    ? "io.holdfast.core," + module.getName()
                                    : "ALL-UNNAMED"));
        }
    }

    /**
     * Returns a function.
     *
     * @param words the number of its parameters: 6, of which it may ignore some, or 9
     * @throws CodecException if the library lacks it
     */
    @SuppressWarnings("restricted") // a downcall
    MethodHandle function(String function, int words) throws CodecException {
        MemorySegment symbol =
                symbols.find(function)
                        .orElseThrow(() ->
                                new CodecException(
                                        "the library "
                                                + name
                                                + " has no "
                                                + function
                                                + "(); "
                                                + remedy));
        return LINKER.downcallHandle(symbol, words == 9 ? NINE_WORDS : WORDS);
    }

    /** Calls a function. */
    static long call(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        try {
            return (long) function.invokeExact(a, b, c, d, e, f);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }
}
