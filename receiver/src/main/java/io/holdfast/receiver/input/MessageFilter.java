package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The patterns of {@code LogFilterPatterns=}: which messages of a unit are stored. A message that a
 * denied pattern matches anywhere is not; and if there are allowed patterns, one of them has to
 * match.
 *
 * <p>A regular expression can take exponentially long for a text that is made for it, and the unit
 * chooses the text. So once the patterns have read {@link #MOST_READS} characters of a message, the
 * rest of them count as not matching. Owned by one thread.
 */
public final class MessageFilter {
    /** Stores everything. */
    public static final MessageFilter NONE = new MessageFilter(List.of(), List.of());

    /** Characters that the patterns may read of one message, backtracking included. */
    static final int MOST_READS = 100_000;

    private static final byte DELIMITER = (byte) 0xff; // in no UTF-8 text

    private final List<Pattern> allowed;
    private final List<Pattern> denied;

    private MessageFilter(List<Pattern> allowed, List<Pattern> denied) {
        this.allowed = allowed;
        this.denied = denied;
    }

    /**
     * Parses the attribute of a unit's cgroup: allowed patterns with NUL between them, 0xff, and
     * denied ones. Patterns that are no regular expressions are ignored.
     *
     * @param most patterns; further ones are ignored
     */
    public static MessageFilter parse(byte[] attribute, int most) {
        int delimiter = 0;
        while (delimiter < attribute.length && attribute[delimiter] != DELIMITER) {
            delimiter++;
        }
        if (delimiter == attribute.length) {
            return NONE;
        }
        int after = delimiter + 1;
        return new MessageFilter(
                patterns(new String(attribute, 0, delimiter, UTF_8), most),
                patterns(new String(attribute, after, attribute.length - after, UTF_8), most));
    }

    private static List<Pattern> patterns(String texts, int most) {
        List<Pattern> patterns = new ArrayList<>();
        for (String text : texts.split("\0", most + 1)) {
            try {
                if (!text.isEmpty() && patterns.size() < most) {
                    patterns.add(Pattern.compile(text));
                }
            } catch (PatternSyntaxException | StackOverflowError e) {
                // the manager has said so
            }
        }
        return patterns;
    }

    /** Returns whether there are no patterns. */
    public boolean isEmpty() {
        return allowed.isEmpty() && denied.isEmpty();
    }

    /** Returns whether a message is stored. */
    public boolean admits(byte[] message) {
        if (isEmpty()) {
            return true;
        }
        Counted text = new Counted(new String(message, UTF_8), new int[1]);
        return denied.stream().noneMatch(pattern -> isIn(pattern, text))
                && (allowed.isEmpty() || allowed.stream().anyMatch(pattern -> isIn(pattern, text)));
    }

    private static boolean isIn(Pattern pattern, Counted text) {
        try {
            return pattern.matcher(text).find();
        } catch (TooLongException | StackOverflowError e) {
            return false;
        }
    }

    /** A match has read too much. */
    private static final class TooLongException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        TooLongException() {
            super("a match takes too long", null, false, false);
        }
    }

    /** A text that counts how often it is read, together with its parts. */
    @SuppressWarnings("ArrayRecordComponent") // is never compared
    private record Counted(CharSequence text, int[] reads) implements CharSequence {
        @Override
        public char charAt(int at) {
            if (++reads[0] > MOST_READS) {
                throw new TooLongException();
            }
            return text.charAt(at);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(text.subSequence(start, end), reads);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
