package io.holdfast.cli.output;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object for scripts, on one line, with its members in the order in which they were put. No
 * JSON library is used, because loading one doubles the start-up time, and nothing is parsed.
 */
public final class JsonText {
    private final Map<String, @Nullable Object> members = new LinkedHashMap<>();

    public static JsonText object() {
        return new JsonText();
    }

    /**
     * Adds a member.
     *
     * @param value a string, a number, a boolean, another object, a list of these, or null; an
     *     Optional stands for its value, or null
     */
    public JsonText put(String name, @Nullable Object value) {
        members.put(name, value instanceof Optional<?> optional ? optional.orElse(null) : value);
        return this;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        write(this, text);
        return text.toString();
    }

    private static void write(@Nullable Object value, StringBuilder text) {
        switch (value) {
            case null -> text.append("null");
            case String string -> quote(string, text);
            case Long number -> text.append(number);
            case Integer number -> text.append(number);
            case Boolean truth -> text.append(truth);
            case JsonText object -> {
                char before = '{';
                for (Map.Entry<String, @Nullable Object> member : object.members.entrySet()) {
                    text.append(before);
                    quote(member.getKey(), text);
                    text.append(':');
                    write(member.getValue(), text);
                    before = ',';
                }
                text.append(before == '{' ? "{}" : "}");
            }
            case List<?> list -> {
                char before = '[';
                for (Object element : list) {
                    text.append(before);
                    write(element, text);
                    before = ',';
                }
                text.append(before == '[' ? "[]" : "]");
            }
            default -> throw new IllegalArgumentException("no JSON of " + value.getClass());
        }
    }

    private static void quote(String string, StringBuilder text) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c == '\n') {
                text.append("\\n");
            } else if (c == '\t') {
                text.append("\\t");
            } else if (c < ' ' || c == 0x7F) {
                text.append("\\u00").append(c < 0x10 ? "0" : "").append(Integer.toHexString(c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }
}
