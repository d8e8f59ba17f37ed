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
    /** {@code sizeof sun_path}: a path of this length has no NUL at its end. */
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
        if (path.length > MAX) {
            throw new IllegalArgumentException(
                    "a socket address of " + path.length + " bytes; at most " + MAX + " fit");
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
        if (path.length == 0 || path[0] == 0 || path.length == MAX) {
            return PATH + path.length;
        }
        memory.put(at + PATH + path.length, (byte) 0);
        return PATH + path.length + 1;
    }

    static UnixName read(ByteBuffer memory, int at, int length) {
        byte[] path = new byte[Math.clamp(length - PATH, 0, MAX)];
        memory.get(at + PATH, path);
        return read(path);
    }

    /** The name that the kernel returned, of which a path can have a NUL at its end. */
    static UnixName read(byte[] path) {
        int end = 0;
        while (end < path.length && path[0] != 0 && path[end] != 0) {
            end++;
        }
        return new UnixName(end == 0 ? path : Arrays.copyOf(path, end));
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
