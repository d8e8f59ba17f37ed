package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * The grammar of names, paths and text (D-Bus Specification, "Valid Object Paths", "Valid Names").
 * Inside of the package, each check exists for bytes in memory too; it allocates nothing.
 */
public final class Syntax {
    private static final int LETTER = 1;
    private static final int DIGIT = 2;
    private static final int HYPHEN = 4;
    private static final int DOT = 8;
    private static final int SLASH = 16;

    /** The character classes of each byte. */
    private static final byte[] CLASS = new byte[256];

    private static final long HIGH_BITS = 0x8080808080808080L;
    private static final long LOW_BITS = 0x0101010101010101L;

    /**
     * The number of words that are checked at once; a block that is not all ASCII is checked again.
     */
    private static final int BLOCK_WORDS = 128;

    static {
        for (int c = 'a'; c <= 'z'; c++) {
            CLASS[c] = LETTER;
            CLASS[c - 'a' + 'A'] = LETTER;
        }
        CLASS['_'] = LETTER;
        for (int c = '0'; c <= '9'; c++) {
            CLASS[c] = DIGIT;
        }
        CLASS['-'] = HYPHEN;
        CLASS['.'] = DOT;
        CLASS['/'] = SLASH;
    }

    private Syntax() {}

    static boolean isObjectPath(MemorySegment bytes, long offset, int length) {
        if (length < 1 || bytes.get(JAVA_BYTE, offset) != '/') {
            return false;
        }
        boolean fresh = true;
        for (int i = 1; i < length; i++) {
            int c = CLASS[bytes.get(JAVA_BYTE, offset + i) & 0xff];
            if ((c & (LETTER | DIGIT)) != 0) {
                fresh = false;
            } else if (c == SLASH && !fresh) {
                fresh = true;
            } else {
                return false;
            }
        }
        return !fresh || length == 1;
    }

    /**
     * Checks for an object path, of any length: {@code /}, or elements of letters, digits and
     * underscores, each after a slash.
     *
     * @return whether the text is an object path
     */
    public static boolean isObjectPath(String text) {
        MemorySegment bytes = bytesOf(text);
        return isObjectPath(bytes, 0, (int) bytes.byteSize());
    }

    static boolean isInterface(MemorySegment bytes, long offset, int length) {
        return isName(bytes, offset, length, LETTER, LETTER | DIGIT, 2);
    }

    /**
     * Checks for an interface name: two or more elements with dots between them, of letters, digits
     * and underscores, no digit first; at most 255 bytes.
     *
     * @return whether the text is an interface name
     */
    public static boolean isInterface(String text) {
        MemorySegment bytes = bytesOf(text);
        return isInterface(bytes, 0, (int) bytes.byteSize());
    }

    /**
     * Checks for an error name, which has the syntax of an interface name.
     *
     * @return whether the text is an error name
     */
    public static boolean isErrorName(String text) {
        return isInterface(text);
    }

    static boolean isMember(MemorySegment bytes, long offset, int length) {
        if (length < 1 || length > WireLimits.MAX_NAME) {
            return false;
        }
        if (CLASS[bytes.get(JAVA_BYTE, offset) & 0xff] != LETTER) {
            return false;
        }
        for (int i = 1; i < length; i++) {
            if ((CLASS[bytes.get(JAVA_BYTE, offset + i) & 0xff] & (LETTER | DIGIT)) == 0) {
                return false;
            }
        }
        return true;
    }

    /**
     * Checks for a member name: letters, digits and underscores, no digit first; 1 to 255 bytes.
     *
     * @return whether the text is a member name
     */
    public static boolean isMember(String text) {
        MemorySegment bytes = bytesOf(text);
        return isMember(bytes, 0, (int) bytes.byteSize());
    }

    static boolean isBusName(MemorySegment bytes, long offset, int length) {
        return (length > 0 && bytes.get(JAVA_BYTE, offset) == ':')
                ? isUniqueName(bytes, offset, length)
                : isWellKnownName(bytes, offset, length);
    }

    /**
     * Checks for a bus name: a unique or a well-known name.
     *
     * @return whether the text is a bus name
     */
    public static boolean isBusName(String text) {
        MemorySegment bytes = bytesOf(text);
        return isBusName(bytes, 0, (int) bytes.byteSize());
    }

    static boolean isUniqueName(MemorySegment bytes, long offset, int length) {
        return length > 0
                && length <= WireLimits.MAX_NAME
                && bytes.get(JAVA_BYTE, offset) == ':'
                && isName(
                        bytes,
                        offset + 1,
                        length - 1,
                        LETTER | DIGIT | HYPHEN,
                        LETTER | DIGIT | HYPHEN,
                        2);
    }

    /**
     * Checks for a unique name: a colon, then two or more elements of letters, digits, underscores
     * and hyphens, with dots between them; at most 255 bytes.
     *
     * @return whether the text is a unique name
     */
    public static boolean isUniqueName(String text) {
        MemorySegment bytes = bytesOf(text);
        return isUniqueName(bytes, 0, (int) bytes.byteSize());
    }

    static boolean isWellKnownName(MemorySegment bytes, long offset, int length) {
        return isName(bytes, offset, length, LETTER | HYPHEN, LETTER | DIGIT | HYPHEN, 2);
    }

    /**
     * Checks for a well-known name: two or more elements of letters, digits, underscores and
     * hyphens, no digit first, with dots between them; at most 255 bytes.
     *
     * @return whether the text is a well-known name
     */
    public static boolean isWellKnownName(String text) {
        MemorySegment bytes = bytesOf(text);
        return isWellKnownName(bytes, 0, (int) bytes.byteSize());
    }

    static boolean isNamespace(MemorySegment bytes, long offset, int length) {
        return isName(bytes, offset, length, LETTER | HYPHEN, LETTER | DIGIT | HYPHEN, 1);
    }

    /**
     * Checks for a value of {@code arg0namespace}: like a well-known name, but one element is
     * enough.
     *
     * @return whether the text is such a value
     */
    public static boolean isNamespace(String text) {
        MemorySegment bytes = bytesOf(text);
        return isNamespace(bytes, 0, (int) bytes.byteSize());
    }

    private static boolean isName(
            MemorySegment bytes, long offset, int length, int first, int rest, int elements) {
        if (length > WireLimits.MAX_NAME) {
            return false;
        }
        int wanted = elements;
        boolean fresh = true;
        for (int i = 0; i < length; i++) {
            int c = CLASS[bytes.get(JAVA_BYTE, offset + i) & 0xff];
            if (fresh) {
                if ((c & first) == 0) {
                    return false;
                }
                wanted--;
                fresh = false;
            } else if ((c & rest) == 0) {
                if (c != DOT) {
                    return false;
                }
                fresh = true;
            }
        }
        return !fresh && wanted <= 0;
    }

    /**
     * Checks for strict UTF-8 without NUL: no overlong forms, surrogates, or codes above U+10FFFF.
     */
    static boolean isUtf8(MemorySegment bytes, long offset, int length) {
        long at = offset;
        long end = offset + length;
        while (at < end) {
            int words = (int) Math.min((end - at) >>> 3, BLOCK_WORDS);
            long blockEnd = words == 0 ? end : at + words * 8L;
            if (words > 0 && isAscii(bytes, at, words)) {
                at = blockEnd;
                continue;
            }
            while (at < blockEnd) {
                if (blockEnd - at >= 8 && isAscii(bytes, at, 1)) {
                    at += 8;
                    continue;
                }
                int n = bytes.get(JAVA_BYTE, at) > 0 ? 1 : multibyte(bytes, at, end);
                if (n == 0) {
                    return false;
                }
                at += n;
            }
        }
        return true;
    }

    /**
     * Returns whether this many words are ASCII without NUL: with all high bits clear, only a zero
     * byte borrows into its own high bit. The loop has no early exit, so that the compiler can
     * check several words in one instruction.
     */
    private static boolean isAscii(MemorySegment bytes, long from, int words) {
        long seen = 0;
        for (int i = 0; i < words; i++) {
            long word = bytes.get(JAVA_LONG_UNALIGNED, from + i * 8L);
            seen |= word | (word - LOW_BITS);
        }
        return (seen & HIGH_BITS) == 0;
    }

    /**
     * Returns the length of the well-formed sequence of two to four bytes that starts here, or 0.
     */
    private static int multibyte(MemorySegment bytes, long at, long end) {
        int first = bytes.get(JAVA_BYTE, at) & 0xff;
        if (first < 0xc2 || first > 0xf4) {
            return 0;
        }
        int n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
        if (end - at < n) {
            return 0;
        }
        int second = bytes.get(JAVA_BYTE, at + 1) & 0xff;
        int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (second < low || second > high) {
            return 0;
        }
        for (int i = 2; i < n; i++) {
            if ((bytes.get(JAVA_BYTE, at + i) & 0xc0) != 0x80) {
                return 0;
            }
        }
        return n;
    }

    /**
     * Returns the bytes of a name: characters outside ASCII become bytes that no grammar allows.
     */
    private static MemorySegment bytesOf(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }
}
