package io.holdfast.authority.pam;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The functions of {@code security/pam_appl.h}, and those of libc that they need, with their
 * results unchanged. They are bound at the first use of PAM.
 */
final class Libpam {
    // security/_pam_types.h
    static final int PAM_SUCCESS = 0;
    static final int PAM_USER = 2;
    static final int PAM_RUSER = 8;

    private static final String LIBRARY = "libpam.so.0";

    /** The maximum number of bytes that are read of a text of libpam or of a module. */
    static final int MAX_TEXT = 8192;

    private static final Linker LINKER = Linker.nativeLinker();

    /** The signature and the options of core's system calls, whose stub the linker reuses. */
    private static final FunctionDescriptor WORDS =
            FunctionDescriptor.of(
                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG);

    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    /** The allocator of libc, which PAM uses to free answers. */
    private static final class Memory {
        static final MethodHandle CALLOC = libc("calloc");
        static final MethodHandle FREE = libc("free");
        static final MethodHandle BZERO = libc("explicit_bzero");

        private static MethodHandle libc(String function) {
            return bind(LINKER.defaultLookup(), function)
                    .orElseThrow(() -> new AssertionError("libc has no " + function));
        }
    }

    private final MethodHandle start;
    private final Optional<MethodHandle> startConfdir;
    private final MethodHandle end;
    private final MethodHandle setItem;
    private final MethodHandle getItem;
    private final MethodHandle authenticate;
    private final MethodHandle acctMgmt;
    private final MethodHandle strerror;

    private Libpam(SymbolLookup library) throws PamUnavailableException {
        start = required(library, "pam_start");
        startConfdir = bind(library, "pam_start_confdir");
        end = required(library, "pam_end");
        setItem = required(library, "pam_set_item");
        getItem = required(library, "pam_get_item");
        authenticate = required(library, "pam_authenticate");
        acctMgmt = required(library, "pam_acct_mgmt");
        strerror = required(library, "pam_strerror");
    }

    /**
     * Loads libpam.
     *
     * @throws PamUnavailableException if it is not installed
     */
    static Libpam load() throws PamUnavailableException {
        return load(LIBRARY);
    }

    @SuppressWarnings("restricted") // the one place that loads a library
    static Libpam load(String name) throws PamUnavailableException {
        SymbolLookup library;
        try {
            library = SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new PamUnavailableException(
                    "there is no " + name + ": install PAM (Debian's package libpam0g)");
        } catch (IllegalCallerException e) {
            throw new IllegalStateException(
                    "Holdfast calls PAM: start java with --enable-native-access="
                            + (Libpam.class.getModule().isNamed()
                                    ? "io.holdfast.core," + Libpam.class.getModule().getName()
                                    : "ALL-UNNAMED"),
                    e);
        }
        return new Libpam(library);
    }

    private static MethodHandle required(SymbolLookup library, String function)
            throws PamUnavailableException {
        return bind(library, function)
                .orElseThrow(() ->
                        new PamUnavailableException(
                                LIBRARY + " has no " + function + ": is it another library?"));
    }

    @SuppressWarnings("restricted") // downcalls
    private static Optional<MethodHandle> bind(SymbolLookup library, String function) {
        return library.find(function).map(symbol -> LINKER.downcallHandle(symbol, WORDS, ERRNO));
    }

    /** Calls a function. PAM does not report by errno; it is part of the shared signature. */
    private static long call(MethodHandle function, long a, long b, long c, long d, long e) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(Linker.Option.captureStateLayout());
            return (long) function.invokeExact(errno, a, b, c, d, e, 0L);
        } catch (RuntimeException | Error failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /**
     * Calls pam_start(3) or pam_start_confdir(3).
     *
     * @param folder the address of a path; 0 for the system's folders
     */
    int start(long service, long user, long conversation, long folder, long handle)
            throws PamUnavailableException {
        if (folder == 0) {
            return (int) call(start, service, user, conversation, handle, 0);
        }
        MethodHandle confdir =
                startConfdir.orElseThrow(() ->
                        new PamUnavailableException(
                                "a private PAM folder needs Linux-PAM 1.4 (pam_start_confdir)"));
        return (int) call(confdir, service, user, conversation, folder, handle);
    }

    int end(long handle, int status) {
        return (int) call(end, handle, status, 0, 0, 0);
    }

    int setItem(long handle, int item, long value) {
        return (int) call(setItem, handle, item, value, 0, 0);
    }

    int getItem(long handle, int item, long into) {
        return (int) call(getItem, handle, item, into, 0, 0);
    }

    int authenticate(long handle) {
        return (int) call(authenticate, handle, 0, 0, 0, 0);
    }

    int acctMgmt(long handle) {
        return (int) call(acctMgmt, handle, 0, 0, 0, 0);
    }

    String strerror(long handle, int code) {
        return new String(string(call(strerror, handle, code, 0, 0, 0)), UTF_8);
    }

    /** Allocates zeroed memory with libc's calloc(3); returns 0 if there is none. */
    static long calloc(long count, long size) {
        return call(Memory.CALLOC, count, size, 0, 0, 0);
    }

    static void free(long address) {
        long ignored = call(Memory.FREE, address, 0, 0, 0, 0);
    }

    /** Zeroes memory, in a way that no compiler optimizes away. */
    static void wipe(long address, long size) {
        long ignored = call(Memory.BZERO, address, size, 0, 0, 0);
    }

    /** Returns a view of memory that is owned elsewhere. */
    @SuppressWarnings("restricted") // the size is that of the C header
    static MemorySegment at(long address, long size) {
        return MemorySegment.ofAddress(address).reinterpret(size);
    }

    /** Returns a C string without its NUL, cut at {@link #MAX_TEXT} bytes; empty for null. */
    static byte[] string(long address) {
        if (address == 0) {
            return new byte[0];
        }
        MemorySegment text = at(address, MAX_TEXT); // never read beyond its NUL
        int length = 0;
        while (length < MAX_TEXT && text.get(JAVA_BYTE, length) != 0) {
            length++;
        }
        return text.asSlice(0, length).toArray(JAVA_BYTE);
    }
}
