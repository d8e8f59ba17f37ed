package io.holdfast.journal;

import java.util.HashMap;
import java.util.Map;

/**
 * A position in journals: the identity of an entry, in any file that holds it. Its text is that of
 * systemd: {@code s=…;i=…;b=…;m=…;t=…;x=…}.
 *
 * @param seqnumId the identifier of the sequence of numbers
 * @param seqnum the sequence number
 * @param bootId the boot in which the entry was written
 * @param monotonic the time since that boot in µs
 * @param realtime the time since 1970 in µs
 * @param xorHash the checksum of the fields
 */
public record Cursor(
        Id128 seqnumId, long seqnum, Id128 bootId, long monotonic, long realtime, long xorHash) {

    /**
     * Parses a cursor.
     *
     * @param text the text; unknown parts are ignored
     * @return the cursor
     * @throws IllegalArgumentException if a part is malformed or missing
     */
    public static Cursor parse(String text) {
        Map<Character, String> parts = new HashMap<>();
        for (String part : text.split(";", -1)) {
            if (part.length() < 2 || part.charAt(1) != '=') {
                throw malformed(text);
            }
            parts.put(part.charAt(0), part.substring(2));
        }
        try {
            return new Cursor(
                    Id128.parse(part(parts, 's')),
                    number(parts, 'i'),
                    Id128.parse(part(parts, 'b')),
                    number(parts, 'm'),
                    number(parts, 't'),
                    number(parts, 'x'));
        } catch (IllegalArgumentException e) {
            throw malformed(text);
        }
    }

    private static String part(Map<Character, String> parts, char name) {
        String part = parts.get(name);
        if (part == null) {
            throw new IllegalArgumentException("no " + name);
        }
        return part;
    }

    private static long number(Map<Character, String> parts, char name) {
        return Long.parseUnsignedLong(part(parts, name), 16);
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException(
                "\"" + text + "\" is not a cursor: s=ID;i=HEX;b=ID;m=HEX;t=HEX;x=HEX");
    }

    /** Returns the text of systemd. */
    @Override
    public String toString() {
        return "s="
                + seqnumId
                + ";i="
                + Long.toHexString(seqnum)
                + ";b="
                + bootId
                + ";m="
                + Long.toHexString(monotonic)
                + ";t="
                + Long.toHexString(realtime)
                + ";x="
                + Long.toHexString(xorHash);
    }
}
