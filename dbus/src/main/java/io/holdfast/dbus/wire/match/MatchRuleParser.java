package io.holdfast.dbus.wire.match;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.dbus.wire.MessageType;
import org.jspecify.annotations.Nullable;

/**
 * Parses the text of a match rule: {@code key=value} pairs with commas between them. Between
 * apostrophes every character is literal; outside of them {@code \'} is an apostrophe, any other
 * backslash is literal, and a comma ends the value. White space before a key and a comma at the end
 * are ignored.
 */
final class MatchRuleParser {
    private final String text;
    private final MatchRule.Builder rule = MatchRule.builder();
    private int at;

    MatchRuleParser(String text) {
        this.text = text;
    }

    MatchRule parse() {
        // A character has at least one byte, so a text that is far too long is not even converted.
        if (text.length() > MatchRule.MAX_TEXT
                || text.getBytes(UTF_8).length > MatchRule.MAX_TEXT) {
            throw new MatchRuleException(
                    "a match rule has at most " + MatchRule.MAX_TEXT + " bytes of text");
        }
        skipBlanks();
        while (at < text.length()) {
            int start = at;
            String key = key();
            try {
                set(key, value(key));
            } catch (MatchRuleException e) {
                throw new MatchRuleException(e.getMessage() + " (at character " + start + ")");
            }
            skipBlanks();
        }
        return rule.build();
    }

    /** Returns the name of a message type in rules; null if it has none. */
    static @Nullable String typeName(int type) {
        return switch (type) {
            case MessageType.METHOD_CALL -> "method_call";
            case MessageType.METHOD_RETURN -> "method_return";
            case MessageType.ERROR -> "error";
            case MessageType.SIGNAL -> "signal";
            default -> null;
        };
    }

    private String key() {
        int equals = text.indexOf('=', at);
        int comma = text.indexOf(',', at);
        if (equals < 0 || (comma >= 0 && comma < equals)) {
            throw new MatchRuleException("a key without '=' at character " + at);
        }
        int end = equals;
        while (end > at && isBlank(text.charAt(end - 1))) {
            end--;
        }
        String key = text.substring(at, end);
        at = equals + 1;
        return key;
    }

    /** Reads a value, and leaves {@link #at} behind the comma. */
    private String value(String key) {
        StringBuilder value = new StringBuilder();
        boolean quoted = false;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '\'') {
                quoted = !quoted;
            } else if (quoted) {
                value.append(c);
            } else if (c == ',') {
                return value.toString();
            } else if (c == '\\' && at < text.length() && text.charAt(at) == '\'') {
                value.append('\'');
                at++;
            } else {
                value.append(c);
            }
        }
        if (quoted) {
            throw new MatchRuleException(key + ": an apostrophe is not closed");
        }
        return value.toString();
    }

    private void set(String key, String value) {
        var _ =
                switch (key) {
                    case "type" -> rule.type(type(value));
                    case "sender" -> rule.sender(value);
                    case "destination" -> rule.destination(value);
                    case "interface" -> rule.interfaceName(value);
                    case "member" -> rule.member(value);
                    case "path" -> rule.path(value);
                    case "path_namespace" -> rule.pathNamespace(value);
                    case "arg0namespace" -> rule.argument0Namespace(value);
                    case "eavesdrop" -> rule.eavesdrop(truth(value));
                    default -> argument(key, value);
                };
    }

    private MatchRule.Builder argument(String key, String value) {
        boolean path = key.endsWith("path");
        String index = key.startsWith("arg") ? key.substring(3, key.length() - (path ? 4 : 0)) : "";
        if (!index.matches("0|[1-9][0-9]{0,3}")) {
            throw new MatchRuleException("unknown key '" + key + "'");
        }
        int number = Integer.parseInt(index);
        return path ? rule.argumentPath(number, value) : rule.argument(number, value);
    }

    private static int type(String value) {
        for (int type = MessageType.METHOD_CALL; type <= MessageType.SIGNAL; type++) {
            if (value.equals(typeName(type))) {
                return type;
            }
        }
        throw new MatchRuleException(
                "type: '" + value + "' is none of signal, method_call, method_return, error");
    }

    private static boolean truth(String value) {
        return switch (value) {
            case "true" -> true;
            case "false" -> false;
            default ->
                    throw new MatchRuleException(
                            "eavesdrop: '" + value + "' is neither true nor false");
        };
    }

    private void skipBlanks() {
        while (at < text.length() && isBlank(text.charAt(at))) {
            at++;
        }
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    }
}
