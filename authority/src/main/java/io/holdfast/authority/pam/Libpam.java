package io.holdfast.authority.pam;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Libc.Function;
import io.holdfast.core.sys.Library;
import java.lang.foreign.MemorySegment;
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

    /** The allocator of libc, which PAM uses to free answers. */
    private static final Function CALLOC = Libc.bind("calloc");

    private static final Function FREE = Libc.bind("free");
    private static final Function BZERO = Libc.bind("explicit_bzero");

    /** The maximum number of bytes that are read of a text of libpam or of a module. */
    static final int MAX_TEXT = 8192;

    private final Function start;
    private final Optional<Function> startConfdir;
    private final Function end;
    private final Function setItem;
    private final Function getItem;
    private final Function authenticate;
    private final Function acctMgmt;
    private final Function strerror;

    private Libpam(Library library) {
        start = library.function("pam_start");
        startConfdir = library.find("pam_start_confdir");
        end = library.function("pam_end");
        setItem = library.function("pam_set_item");
        getItem = library.function("pam_get_item");
        authenticate = library.function("pam_authenticate");
        acctMgmt = library.function("pam_acct_mgmt");
        strerror = library.function("pam_strerror");
    }

    /**
     * Loads libpam.
     *
     * @throws PamUnavailableException if it is not installed
     */
    static Libpam load() throws PamUnavailableException {
        return load(LIBRARY);
    }

    static Libpam load(String name) throws PamUnavailableException {
        Library library;
        try {
            library = new Library(name);
        } catch (IllegalArgumentException e) {
            throw new PamUnavailableException(
                    "there is no " + name + ": install PAM (Debian's package libpam0g)");
        }
        try {
            return new Libpam(library);
        } catch (IllegalArgumentException e) {
            throw new PamUnavailableException(String.valueOf(e.getMessage()));
        }
    }

    private static long call(Function function, long a, long b, long c, long d, long e) {
        return Library.call(function, a, b, c, d, e, 0);
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
        Function confdir =
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
        return call(CALLOC, count, size, 0, 0, 0);
    }

    static void free(long address) {
        long ignored = call(FREE, address, 0, 0, 0, 0);
    }

    /** Zeroes memory, in a way that no compiler optimizes away. */
    static void wipe(long address, long size) {
        long ignored = call(BZERO, address, size, 0, 0, 0);
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
