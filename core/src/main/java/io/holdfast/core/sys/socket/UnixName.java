package io.holdfast.core.sys.socket;

import io.holdfast.core.sys.CString;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct sockaddr_un} of {@code unix(7)}: the bytes behind the family. Empty for an unnamed
 * socket; a leading NUL makes the name an abstract one.
 */
public final class UnixName {
    /** {@code sizeof sun_path}: a path has one byte less, for its NUL. */
    public static final int MAX = 108;

    static final int SIZE = 110;
    private static final int PATH = 2;
    private static final short AF_UNIX = 1;

    private final byte[] path;

    private UnixName(byte[] path) {
        this.path = path;
    }

    /**
     * @param path a path without NUL, or a NUL and an abstract name, or nothing
     * @throws IllegalArgumentException if it is too long or a path holds a NUL
     */
    public static UnixName of(byte[] path) {
        boolean isAbstract = path.length > 0 && path[0] == 0;
        if (path.length > (isAbstract ? MAX : MAX - 1)) {
            throw new IllegalArgumentException(
                    "a socket address of " + path.length + " bytes; at most " + (MAX - 1) + " fit");
        }
        if (!isAbstract) {
            for (byte b : path) {
                if (b == 0) {
                    throw new IllegalArgumentException("a NUL in a socket path");
                }
            }
        }
        return new UnixName(path.clone());
    }

    /**
     * The same of text, as UTF-8; what {@link #text} gave becomes the same name again.
     *
     * @throws IllegalArgumentException if it is too long or a path holds a NUL
     */
    public static UnixName of(String path) {
        return of(CString.encode(path));
    }

    /** The name as text. A byte that is no UTF-8 is a lone surrogate in it (U+DC80 to U+DCFF). */
    public String text() {
        return CString.decode(path);
    }

    /** The bytes, without the NUL at the end of a path. */
    public byte[] bytes() {
        return path.clone();
    }

    /** Writes the sockaddr_un; returns its length. */
    int write(ByteBuffer memory, int at) {
        memory.putShort(at, AF_UNIX);
        memory.put(at + PATH, path);
        if (path.length == 0 || path[0] == 0) {
            return PATH + path.length;
        }
        memory.put(at + PATH + path.length, (byte) 0);
        return PATH + path.length + 1;
    }

    static UnixName read(ByteBuffer memory, int at, int length) {
        int n = Math.clamp(length - PATH, 0, MAX);
        byte[] path = new byte[n];
        memory.get(at + PATH, path);
        if (n > 0 && path[0] != 0) {
            int end = 0;
            while (end < n && path[end] != 0) {
                end++;
            }
            path = Arrays.copyOf(path, end);
        }
        return new UnixName(path);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UnixName name && Arrays.equals(path, name.path);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(path);
    }
}
