package io.holdfast.journal;

/** Checks of UTF-8. */
final class Utf8 {
    private Utf8() {}

    /**
     * Returns whether bytes are valid UTF-8 without control characters except for tabs. As in
     * systemd, a control character is one below 32, DEL, or one from 128 to 159.
     */
    static boolean isPrintable(byte[] bytes, int from, int to) {
        return isPrintable(bytes, from, to, false);
    }

    /** Returns the same, with newlines allowed. */
    static boolean isPrintableText(byte[] bytes, int from, int to) {
        return isPrintable(bytes, from, to, true);
    }

    private static boolean isPrintable(byte[] bytes, int from, int to, boolean mayBreak) {
        int at = from;
        while (at < to) {
            int b = bytes[at];
            if (b >= 0) {
                boolean isLayout = b == '\t' || (b == '\n' && mayBreak);
                if ((b < ' ' && !isLayout) || b == 0x7f) {
                    return false;
                }
                at++;
                continue;
            }
            int length = sequence(bytes, at, to);
            if (length == 0
                    || (length == 2 && (b & 0xff) == 0xc2 && (bytes[at + 1] & 0xff) < 0xa0)) {
                return false;
            }
            at += length;
        }
        return true;
    }

    /** Returns the length of the multi-byte sequence at an index; 0 if it is not valid. */
    private static int sequence(byte[] bytes, int at, int to) {
        int b = bytes[at] & 0xff;
        int length = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
        if (b < 0xc2 || b > 0xf4 || at + length > to) {
            return 0;
        }
        int code = b & (0x7f >> length);
        for (int i = 1; i < length; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80) {
                return 0;
            }
            code = (code << 6) | (bytes[at + i] & 0x3f);
        }
        return isCharacter(code, length) ? length : 0;
    }

    private static boolean isCharacter(int code, int length) {
        boolean isOverlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
        boolean isSurrogate = code >= 0xd800 && code < 0xe000;
        boolean isNoCharacter = (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
        return !isOverlong && !isSurrogate && !isNoCharacter && code <= 0x10ffff;
    }
}
