package io.holdfast.core.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * A shared library of the system, beside libc; it stays loaded. Its functions have the shape of
 * {@link Libc}'s: they may ignore some of the words, and the upper half of an {@code int} result is
 * undefined.
 */
public final class Library {
    private final String name;
    private final SymbolLookup symbols;

    /**
     * Loads a library.
     *
     * @param name its soname
     * @throws IllegalArgumentException if it is not installed
     * @throws IllegalCallerException if this JVM denies native access
     */
    @SuppressWarnings("restricted") // the only place that loads a library
    public Library(String name) {
        this.name = name;
        Libc.requireNativeAccess();
        symbols = SymbolLookup.libraryLookup(name, Arena.global());
    }

    /** Returns a function; empty if the library is too old to have it. */
    public Optional<Libc.Function> find(String function) {
        return symbols.find(function).map(symbol -> new Libc.Function(function, symbol));
    }

    /**
     * Returns a function.
     *
     * @throws IllegalArgumentException if the library does not have it
     */
    public Libc.Function function(String function) {
        return find(function)
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                name + " has no " + function + ": is it another library?"));
    }

    /** Calls a function, and returns its result unchanged. */
    public static long call(
            Libc.Function function, long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.take();
        try {
            return Libc.call(function, scratch.errno, a, b, c, d, e, f);
        } finally {
            scratch.release();
        }
    }

    /** The one shape beside that of libc, for a function with nine parameters. */
    private static final class NineWords {
        static final MethodHandle CALL = downcall();

        @SuppressWarnings("restricted") // a downcall
        private static MethodHandle downcall() {
            return Linker.nativeLinker()
                    .downcallHandle(
                            FunctionDescriptor.of(
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));
        }
    }

    /** Calls a function of nine words, and returns its result unchanged. */
    public static long call(
            Libc.Function function,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f,
            long g,
            long h,
            long i) {
        try {
            return (long) NineWords.CALL.invokeExact(function.symbol(), a, b, c, d, e, f, g, h, i);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }
}
