package io.holdfast.manager.systemd1.format;

/** How a word of a caller is written in a unit file, so that the parser reads the same word. */
public enum Quoting {
    /** For directives that take the character after a backslash literally. */
    LITERAL,
    /** For directives with C escapes: the word may contain control characters. */
    C_ESCAPES;

    public String quote(String word) {
        StringBuilder quoted = new StringBuilder(word.length() + 2).append('"');
        for (int i = 0; i < word.length(); i++) {
            char c = word.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (this == C_ESCAPES && Character.isISOControl(c)) {
                quoted.append("\\u%04x".formatted((int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
