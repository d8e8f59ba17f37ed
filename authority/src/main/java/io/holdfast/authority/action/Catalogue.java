package io.holdfast.authority.action;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reader of gettext message catalogues, as msgfmt(1) writes them (GNU gettext manual, "The Format
 * of GNU MO Files").
 */
final class Catalogue {
    private static final int MAGIC = 0x950412de;
    private static final int HEADER = 28;
    private static final Pattern CHARSET = Pattern.compile("charset=([A-Za-z0-9_:.+-]+)");

    private final ByteBuffer file;
    private long left; // bytes that further texts may have; since texts do not overlap

    private Catalogue(byte[] bytes) {
        this.file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        this.left = bytes.length;
    }

    /**
     * Returns the messages and their translations; of plural forms, the first.
     *
     * @return empty if the bytes are not a valid catalogue
     */
    static Map<String, String> read(byte[] bytes) {
        try {
            return new Catalogue(bytes).messages();
        } catch (IndexOutOfBoundsException
                | IllegalCharsetNameException
                | UnsupportedCharsetException e) {
            return Map.of(); // a broken catalogue counts as missing
        }
    }

    private Map<String, String> messages() {
        if (file.limit() < HEADER) {
            return Map.of();
        }
        if (file.getInt(0) == Integer.reverseBytes(MAGIC)) {
            file.order(ByteOrder.BIG_ENDIAN);
        }
        if (file.getInt(0) != MAGIC || (file.getInt(4) >>> 16) > 1) {
            return Map.of();
        }
        int count = file.getInt(8);
        int originals = file.getInt(12);
        int translations = file.getInt(16);
        Map<String, String> messages = new HashMap<>();
        Charset charset = UTF_8;
        for (int i = 0; i < count; i++) {
            byte[] original = text(originals + 8 * i);
            byte[] translation = text(translations + 8 * i);
            if (original.length == 0) {
                charset = charset(new String(translation, ISO_8859_1));
            } else if (translation.length > 0) {
                messages.put(new String(original, charset), new String(translation, charset));
            }
        }
        return messages;
    }

    /** Returns the charset that the header (the translation of the empty message) names. */
    private static Charset charset(String header) {
        Matcher matcher = CHARSET.matcher(header);
        return matcher.find() ? Charset.forName(matcher.group(1)) : UTF_8;
    }

    /** Reads the text that an entry of a table points to, up to its first NUL. */
    private byte[] text(int entry) {
        int length = file.getInt(entry);
        int start = file.getInt(entry + 4);
        left -= length;
        if (length < 0 || left < 0) {
            throw new IndexOutOfBoundsException();
        }
        byte[] bytes = new byte[length];
        file.get(start, bytes);
        int end = 0;
        while (end < length && bytes[end] != 0) {
            end++;
        }
        return end == length ? bytes : Arrays.copyOf(bytes, end);
    }
}
