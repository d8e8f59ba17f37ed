package io.holdfast.core.linux;

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
 * captured: the linker makes its stub once, and each further function costs an address.
 *
 * <p>Sound on x86_64 (System V) and aarch64 (AAPCS64): an int travels in the low half of its
 * register, unused argument registers are the caller's, and variadic integers go where fixed ones
 * go. The upper half of an {@code int} result is undefined, hence {@link #intCall}.
 */
final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
    private static final FunctionDescriptor WORDS =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    static final MemoryLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();

    private Libc() {}

    /** The function, which every libc that Java 25 runs on has. */
    static MethodHandle bind(String function) {
        MethodHandle handle = find(function);
        if (handle == null) {
            throw new AssertionError("libc has no " + function);
        }
        return handle;
    }

    /** The function, or null where this libc is too old for it. */
    @SuppressWarnings("restricted") // the one place that makes downcalls
    static @Nullable MethodHandle find(String function) {
        try {
            return SYMBOLS.find(function)
                    .map(symbol -> LINKER.downcallHandle(symbol, WORDS, ERRNO))
                    .orElse(null);
        } catch (IllegalCallerException e) {
            throw new IllegalStateException(
                    "Holdfast calls libc: start java with --enable-native-access="
                            + (Libc.class.getModule().isNamed()
                                    ? Libc.class.getModule().getName()
                                    : "ALL-UNNAMED"),
                    e);
        }
    }

    /** The address of a function, which every libc that Java 25 runs on has. */
    static long address(String function) {
        return SYMBOLS.findOrThrow(function).address();
    }

    /** Where libc keeps the environment; looked up when first needed. */
    private static final class Environ {
        @SuppressWarnings("restricted") // the size of a pointer
        static final MemorySegment POINTER = SYMBOLS.findOrThrow("environ").reinterpret(Long.BYTES);
    }

    /** The environment of this process as libc keeps it: the value of {@code environ}. */
    static long environ() {
        return Environ.POINTER.get(JAVA_LONG, 0);
    }

    /** Result of a function that returns {@code int}, or -errno. */
    static int intCall(MethodHandle function, long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.take();
        try {
            return intCall(function, scratch.errno, a, b, c, d, e, f);
        } finally {
            scratch.give();
        }
    }

    /** The same with errno memory that the caller holds. */
    static int intCall(
            MethodHandle function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        try {
            int result = (int) (long) function.invokeExact(errno, a, b, c, d, e, f);
            return result != -1 ? result : -code(errno);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Result of a function that returns a word ({@code ssize_t}, {@code long}), or -errno. */
    static long wordCall(
            MethodHandle function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        try {
            long result = (long) function.invokeExact(errno, a, b, c, d, e, f);
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
