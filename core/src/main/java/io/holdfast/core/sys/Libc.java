package io.holdfast.core.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The one binder of libc. Every function has the same shape, six words in and one out, with errno
 * captured: there is one downcall handle, and a function is an address that it is given. The
 * address is looked up at the first call, so that a short command pays for what it calls and not
 * for what it could call.
 *
 * <p>Sound on x86_64 (System V) and aarch64 (AAPCS64): an int travels in the low half of its
 * register, unused argument registers are the caller's, and variadic integers go where fixed ones
 * go. The upper half of an {@code int} result is undefined, hence {@link #intCall}.
 */
public final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
    private static final FunctionDescriptor WORDS =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final @Nullable MethodHandle CALL = downcall(); // null if it is denied

    public static final MemoryLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();

    private Libc() {}

    @SuppressWarnings("restricted") // the one place that makes downcalls
    private static @Nullable MethodHandle downcall() {
        try {
            return LINKER.downcallHandle(WORDS, Linker.Option.captureCallState("errno"));
        } catch (IllegalCallerException e) {
            return null;
        }
    }

    /**
     * Throws now, rather than in the initializer of a class that calls something, which that class
     * would never recover from.
     *
     * @throws IllegalCallerException if this JVM denies native access
     */
    public static void requireNativeAccess() {
        if (CALL == null) {
            throw denied();
        }
    }

    private static IllegalCallerException denied() {
        Module module = Libc.class.getModule();
        return new IllegalCallerException(
                "Holdfast calls libc, and this JVM denies native access: start java with"
                        + " --enable-native-access="
                        + (module.isNamed() ? module.getName() : "ALL-UNNAMED"));
    }

    /** A function of libc. */
    public static final class Function {
        private final String name;

        /** Its address, once it was needed; several threads may look it up, and find the same. */
        private @Nullable MemorySegment symbol;

        private Function(String name, @Nullable MemorySegment symbol) {
            this.name = name;
            this.symbol = symbol;
        }

        /** Looks it up now, for a caller that must load no class when it calls it. */
        public MemorySegment symbol() {
            MemorySegment known = symbol;
            if (known == null) {
                known =
                        SYMBOLS.find(name)
                                .orElseThrow(() ->
                                        new UnsupportedOperationException(
                                                "the C library of this JVM has no "
                                                        + name
                                                        + "(): glibc 2.28 or newer has it; use a"
                                                        + " JDK that is made for it"));
                symbol = known;
            }
            return known;
        }
    }

    /** The function, which every libc that Java 25 runs on has. */
    public static Function bind(String function) {
        return new Function(function, null);
    }

    /** The function, or null where this libc is too old for it. */
    public static @Nullable Function find(String function) {
        return SYMBOLS.find(function).map(symbol -> new Function(function, symbol)).orElse(null);
    }

    /** Where libc keeps the environment; looked up when first needed. */
    private static final class Environ {
        @SuppressWarnings("restricted") // the size of a pointer
        static final MemorySegment POINTER = SYMBOLS.findOrThrow("environ").reinterpret(Long.BYTES);
    }

    /** The environment of this process as libc keeps it: the value of {@code environ}. */
    public static long environ() {
        return Environ.POINTER.get(JAVA_LONG, 0);
    }

    /** Result of a function that returns {@code int}, or -errno. */
    public static int intCall(Function function, long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.take();
        try {
            return intCall(function, scratch.errno, a, b, c, d, e, f);
        } finally {
            scratch.give();
        }
    }

    /** The same with errno memory that the caller holds. */
    public static int intCall(
            Function function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        MethodHandle call = CALL;
        if (call == null) {
            throw denied();
        }
        try {
            int result = (int) (long) call.invokeExact(function.symbol(), errno, a, b, c, d, e, f);
            return result != -1 ? result : -code(errno);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Result of a function that returns a word ({@code ssize_t}, {@code long}), or -errno. */
    public static long wordCall(
            Function function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        MethodHandle call = CALL;
        if (call == null) {
            throw denied();
        }
        try {
            long result = (long) call.invokeExact(function.symbol(), errno, a, b, c, d, e, f);
            return result != -1 ? result : -code(errno);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Not through a layout, as {@link Scratch#bytes} says. */
    private static int code(MemorySegment errno) {
        return errno.asByteBuffer().order(ByteOrder.nativeOrder()).getInt(0);
    }
}
