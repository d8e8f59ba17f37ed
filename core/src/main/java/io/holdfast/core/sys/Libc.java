package io.holdfast.core.sys;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Binds the functions of libc; no other class does. Every function has the same shape, six words in
 * and one out, with errno captured: there is one downcall handle, which takes the address of the
 * function as an argument. The address is looked up at the first call, so a short command pays only
 * for the functions that it calls.
 *
 * <p>This is sound on x86_64 (System V) and aarch64 (AAPCS64): an int is passed in the low half of
 * its register, the callee ignores unused argument registers, and variadic integers are passed like
 * fixed ones. The upper half of an {@code int} result is undefined, hence {@link #intCall}.
 */
public final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
    private static final FunctionDescriptor WORDS =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);
    private static final Function STRLEN = bind("strlen");
    private static final @Nullable MethodHandle CALL = downcall(); // null if access is denied

    public static final MemoryLayout ERRNO_LAYOUT = Linker.Option.captureStateLayout();

    private Libc() {}

    @SuppressWarnings("restricted") // the only place that makes downcalls
    private static @Nullable MethodHandle downcall() {
        try {
            return LINKER.downcallHandle(WORDS, Linker.Option.captureCallState("errno"));
        } catch (IllegalCallerException e) {
            return null;
        }
    }

    /**
     * Throws if native access is denied. Called early: the same exception in the initializer of a
     * class that calls libc would make that class unusable for good.
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

    /** A function of libc, or of another {@link Library}. */
    public static final class Function {
        private final String name;

        /** The address, cached at first use; threads may race to look it up, and find the same. */
        private @Nullable MemorySegment symbol;

        Function(String name, @Nullable MemorySegment symbol) {
            this.name = name;
            this.symbol = symbol;
        }

        /** Returns the address; called early by a caller that must not load a class later. */
        public MemorySegment symbol() {
            MemorySegment known = symbol;
            if (known == null) {
                known = SYMBOLS.find(name).orElse(null);
                if (known == null) {
                    throw new UnsupportedOperationException(
                            "the C library of this JVM has no "
                                    + name
                                    + "(): glibc 2.28 or newer has it; use a JDK that is made for"
                                    + " it");
                }
                symbol = known;
            }
            return known;
        }
    }

    /** Binds a function that every libc has on which Java 25 runs. */
    public static Function bind(String function) {
        return new Function(function, null);
    }

    /** Binds a function; returns null if this libc is too old to have it. */
    public static @Nullable Function find(String function) {
        MemorySegment symbol = SYMBOLS.find(function).orElse(null);
        return symbol == null ? null : new Function(function, symbol);
    }

    /** The address of libc's {@code environ}; looked up at first use. */
    private static final class Environ {
        @SuppressWarnings("restricted") // the size of a pointer
        static final ByteBuffer POINTER =
                SYMBOLS.findOrThrow("environ")
                        .reinterpret(Long.BYTES)
                        .asByteBuffer()
                        .order(ByteOrder.nativeOrder());
    }

    /** Returns the value of {@code environ}: the address of this process's environment in libc. */
    public static long environ() {
        return Environ.POINTER.getLong(0);
    }

    /**
     * Returns the strings of this process's environment in libc, as {@link CString} decodes them.
     */
    @SuppressWarnings("restricted") // the sizes that environ(7) defines
    public static List<String> environmentStrings() {
        List<String> strings = new ArrayList<>();
        for (long at = environ(); at != 0; at += Long.BYTES) {
            long string = MemorySegment.ofAddress(at).reinterpret(Long.BYTES).get(JAVA_LONG, 0);
            if (string == 0) {
                break;
            }
            strings.add(string(string));
        }
        return strings;
    }

    /** Returns the version of glibc, such as {@code 2.41}; empty if this libc is another one. */
    public static String glibcVersion() {
        Function function = find("gnu_get_libc_version");
        if (function == null) {
            return "";
        }
        Scratch scratch = Scratch.take();
        try {
            return string(wordCall(function, scratch.errno, 0, 0, 0, 0, 0, 0));
        } finally {
            scratch.release();
        }
    }

    /** Returns the string at an address in libc's own memory. */
    @SuppressWarnings("restricted") // the size that strlen(3) defines
    private static String string(long address) {
        byte[] bytes = new byte[(int) length(address)];
        MemorySegment.ofAddress(address).reinterpret(bytes.length).asByteBuffer().get(bytes);
        return CString.decode(bytes);
    }

    private static long length(long string) {
        Scratch scratch = Scratch.take();
        try {
            return wordCall(STRLEN, scratch.errno, string, 0, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /** Calls a function that returns {@code int}; returns the result, or -errno. */
    public static int intCall(Function function, long a, long b, long c, long d, long e, long f) {
        Scratch scratch = Scratch.take();
        try {
            return intCall(function, scratch.errno, a, b, c, d, e, f);
        } finally {
            scratch.release();
        }
    }

    /** Calls a function that returns {@code int}, with the caller's memory for errno. */
    public static int intCall(
            Function function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        int result = (int) call(function, errno, a, b, c, d, e, f);
        return result != -1 ? result : -code(errno);
    }

    /** Calls a function that returns {@code ssize_t} or {@code long}; its result, or -errno. */
    public static long wordCall(
            Function function,
            MemorySegment errno,
            long a,
            long b,
            long c,
            long d,
            long e,
            long f) {
        long result = call(function, errno, a, b, c, d, e, f);
        return result != -1 ? result : -code(errno);
    }

    /** Calls a function, and returns its result unchanged. */
    static long call(
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
            return (long) call.invokeExact(function.symbol(), errno, a, b, c, d, e, f);
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    /** Reads errno without a layout, for the reason at {@link Scratch#bytes}. */
    private static int code(MemorySegment errno) {
        return errno.asByteBuffer().order(ByteOrder.nativeOrder()).getInt(0);
    }
}
