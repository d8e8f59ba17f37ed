package io.holdfast.authority.rules;

/** Text of others, as it may be logged. */
final class LogText {
    static final int MAX_LENGTH = 1_024;

    private LogText() {}

    /** One line without control characters, not too long. */
    static String of(String text) {
        int length = Math.min(text.length(), MAX_LENGTH);
        StringBuilder clean = new StringBuilder(length + 1);
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            clean.append(Character.isISOControl(c) ? ' ' : c);
        }
        return text.length() > length ? clean.append('…').toString() : clean.toString();
    }
}
