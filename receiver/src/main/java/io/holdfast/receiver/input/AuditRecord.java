package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.journal.Field;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The records in one netlink message of the kernel's audit: a header of 16 bytes, with the length
 * and the type, and {@code audit(1764547200.123:45): key=value …}.
 */
public final class AuditRecord {
    private static final int HEADER = 16; // struct nlmsghdr
    private static final int TYPE = 4; // its offset
    private static final int FIRST = 1000; // smaller types are no records, but replies
    private static final int ALIGNMENT = 4;
    private static final int MOST = 64; // records of one message
    private static final Pattern TEXT =
            Pattern.compile("audit\\(([0-9]{1,12})\\.([0-9]{3}):([0-9]{1,19})\\): ?");

    private AuditRecord() {}

    /** Parses a netlink message; returns the fields of the entry of each record. */
    public static List<List<Field>> parse(byte[] message, int length) {
        List<List<Field>> entries = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(message).order(ByteOrder.nativeOrder());
        int at = 0;
        while (length - at >= HEADER && entries.size() < MOST) {
            int size = bytes.getInt(at);
            if (size < HEADER || size > length - at) {
                break; // the rest cannot be found
            }
            int type = bytes.getShort(at + TYPE) & 0xffff;
            if (type >= FIRST) {
                addTo(entries, type, Arrays.copyOfRange(message, at + HEADER, at + size));
            }
            at += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
        return entries;
    }

    private static void addTo(List<List<Field>> entries, int type, byte[] text) {
        int end = text.length;
        while (end > 0 && (text[end - 1] == 0 || text[end - 1] == '\n')) {
            end--;
        }
        Matcher head = TEXT.matcher(new String(text, 0, end, ISO_8859_1));
        if (!head.lookingAt()) {
            return;
        }
        entries.add(
                List.of(
                        Field.of("PRIORITY", "5"), // notice
                        Field.of("SYSLOG_FACILITY", "4"), // auth
                        Field.of("SYSLOG_IDENTIFIER", "audit"),
                        Field.of("MESSAGE", Arrays.copyOfRange(text, head.end(), end)),
                        Field.of("_AUDIT_TYPE", Integer.toString(type)),
                        Field.of("_AUDIT_ID", head.group(3)),
                        Field.of(
                                "_SOURCE_REALTIME_TIMESTAMP",
                                head.group(1) + head.group(2) + "000")));
    }
}
