package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes small files of procfs, cgroupfs and sysfs as a whole, relative to a directory
 * that is held open, so that the name cannot come to mean another process's file in between. May
 * block in the kernel briefly; safe for use by any thread.
 */
public final class KernelFile {
    /** A file larger than this many bytes is refused with EFBIG. */
    public static final int LIMIT = 16 << 20;

    private static final int CHUNK = 8192;

    private KernelFile() {}

    /**
     * Returns the content.
     *
     * @param directory the directory of the name, or null for an absolute path
     * @throws ErrnoException with the error of {@code openat(2)} or {@code read(2)}; EFBIG beyond
     *     {@link #LIMIT}
     */
    public static byte[] read(@Nullable Fd directory, String name) {
        try (Fd file = Fcntl.open(directory, name, Fcntl.O_RDONLY, 0)) {
            return readRest(file, name);
        }
    }

    /**
     * Returns the content as {@link #text} does; empty if the file is missing or cannot be read.
     */
    public static Optional<String> find(Fd directory, String name) {
        int number = Fcntl.openat(directory, name, Fcntl.O_RDONLY, 0);
        if (number < 0) {
            return Optional.empty();
        }
        try (Fd file = Fd.adopt(number)) {
            return Optional.of(text(readRest(file, name)));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    /** Returns the rest of an open file, from its position on. */
    static byte[] readRest(Fd file, String name) {
        return readRest(file, name, LIMIT);
    }

    /**
     * Returns the rest of an open file, from its position on.
     *
     * @param name the name of the file, for messages
     * @param most the maximum number of bytes
     * @throws ErrnoException with the error of {@code read(2)}; EFBIG if there are more bytes
     */
    public static byte[] readRest(Fd file, String name, int most) {
        byte[] content = readFirst(file, name, most + 1);
        if (content.length > most) {
            throw new ErrnoException(
                    "read", name, Errno.EFBIG, "it has more than " + most + " bytes");
        }
        return content;
    }

    /**
     * Returns the next bytes of an open file, from its position on.
     *
     * @param name the name of the file, for messages
     * @param most the maximum number of bytes; further ones are not read
     * @throws ErrnoException with the error of {@code read(2)}
     */
    public static byte[] readFirst(Fd file, String name, int most) {
        byte[] content = new byte[Math.min(CHUNK, most)];
        int length = 0;
        while (length < most) {
            if (length == content.length) {
                content = Arrays.copyOf(content, (int) Math.min(2L * length, most));
            }
            int n = Unistd.read(file, content, length, content.length - length);
            if (n < 0) {
                throw new ErrnoException("read", name, -n);
            }
            if (n == 0) {
                break;
            }
            length += n;
        }
        return length == content.length ? content : Arrays.copyOf(content, length);
    }

    /**
     * Returns the content as text, without the newline at its end.
     *
     * @throws ErrnoException as {@link #read(Fd, String)}
     */
    public static String text(@Nullable Fd directory, String name) {
        return text(read(directory, name));
    }

    private static String text(byte[] content) {
        String text = CString.decode(content);
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    /**
     * Returns the content as a list of NUL-terminated strings; the last one may lack the NUL.
     *
     * @throws ErrnoException as {@link #read(Fd, String)}
     */
    public static List<String> strings(@Nullable Fd directory, String name) {
        return strings(read(directory, name));
    }

    /**
     * Returns the first bytes of the content as a list of NUL-terminated strings, for a file that a
     * process can make arbitrarily long.
     *
     * @param most the maximum number of bytes; further ones are left out
     * @throws ErrnoException with the error of {@code openat(2)} or {@code read(2)}
     */
    public static List<String> strings(@Nullable Fd directory, String name, int most) {
        try (Fd file = Fcntl.open(directory, name, Fcntl.O_RDONLY, 0)) {
            return strings(readFirst(file, name, most));
        }
    }

    private static List<String> strings(byte[] content) {
        List<String> strings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < content.length; i++) {
            if (content[i] == 0) {
                strings.add(CString.decode(Arrays.copyOfRange(content, from, i)));
                from = i + 1;
            }
        }
        if (from < content.length) {
            strings.add(CString.decode(Arrays.copyOfRange(content, from, content.length)));
        }
        return Collections.unmodifiableList(strings);
    }

    /** Writes the text in one {@code write(2)}, as these files require. 0, or -errno. */
    public static int write(@Nullable Fd directory, String name, String text) {
        int opened = Fcntl.openat(directory, name, Fcntl.O_WRONLY, 0);
        if (opened < 0) {
            return opened;
        }
        try (Fd file = Fd.adopt(opened)) {
            byte[] bytes = CString.encode(text);
            int n = Unistd.write(file, bytes, 0, bytes.length);
            return Math.min(n, 0);
        }
    }
}
