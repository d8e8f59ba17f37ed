package io.holdfast.dbus.marshal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A second implementation of the specification's rules, written only for clarity: signatures become
 * trees, values become objects, names are regular expressions. Tests compare the library with it.
 */
final class ReferenceMessage {
    /** Why a message is invalid. */
    static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String reason) {
            super(reason, null, false, false);
        }
    }

    /** A complete type: its code, and its parts. */
    record Type(char code, List<Type> parts) {}

    /** A value in a variant or in a header field. */
    record Typed(Type type, Object value) {}

    record Field(int code, Typed value) {}

    private static final Pattern PATH = Pattern.compile("/|(/[A-Za-z0-9_]+)+");
    private static final Pattern INTERFACE =
            Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+");
    private static final Pattern MEMBER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    private static final Pattern BUS_NAME =
            Pattern.compile(
                    "[A-Za-z_-][A-Za-z0-9_-]*(\\.[A-Za-z_-][A-Za-z0-9_-]*)+"
                            + "|:[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+");
    private static final Map<Integer, Character> FIELD_TYPES =
            Map.of(1, 'o', 2, 's', 3, 's', 4, 's', 5, 'u', 6, 's', 7, 's', 8, 'g', 9, 'u', 10, 'o');
    private static final Map<Integer, Set<Integer>> REQUIRED =
            Map.of(1, Set.of(1, 3), 2, Set.of(5), 3, Set.of(4, 5), 4, Set.of(1, 2, 3));

    private final ByteBuffer in;
    int type;
    int flags;
    int serial;
    final List<Field> fields = new ArrayList<>();
    List<Type> bodyTypes = List.of();
    List<Object> body = List.of();
    byte[] bodyBytes = new byte[0];

    private ReferenceMessage(byte[] bytes) {
        in = ByteBuffer.wrap(bytes);
    }

    /** Reads bytes that must be exactly one message. */
    static ReferenceMessage parse(byte[] bytes) throws Refused {
        ReferenceMessage message = new ReferenceMessage(bytes);
        message.parse();
        return message;
    }

    ByteOrder order() {
        return in.order();
    }

    @Nullable Object field(int code) {
        for (Field field : fields) {
            if (field.code() == code) {
                return field.value().value();
            }
        }
        return null;
    }

    private void parse() throws Refused {
        require(in.capacity() >= 16, "short");
        int mark = in.get();
        require(mark == 'l' || mark == 'B', "byte order");
        in.order(mark == 'l' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        type = in.get() & 0xff;
        require(type != 0, "type 0");
        flags = in.get() & 0xff;
        require(in.get() == 1, "version");
        long bodyLength = Integer.toUnsignedLong(in.getInt());
        serial = in.getInt();
        require(serial != 0, "serial 0");
        long fieldsLength = Integer.toUnsignedLong(in.getInt());
        require(fieldsLength <= 1 << 26, "field array");
        long headerLength = (16 + fieldsLength + 7) / 8 * 8;
        require(headerLength + bodyLength <= 1 << 27, "too long");
        require(headerLength + bodyLength == in.capacity(), "another length");
        parseFields(16 + (int) fieldsLength);
        align(8, in.capacity());
        bodyBytes = new byte[in.remaining()];
        in.get(in.position(), bodyBytes);
        for (Type member : bodyTypes) {
            if (body.isEmpty()) {
                body = new ArrayList<>();
            }
            body.add(value(member, in.capacity(), 0));
        }
        require(in.remaining() == 0, "bytes left over");
    }

    private void parseFields(int end) throws Refused {
        Set<Integer> seen = new HashSet<>();
        while (in.position() < end) {
            align(8, end);
            require(in.position() < end, "padding after the last field");
            int code = in.get() & 0xff;
            require(code != 0, "code 0");
            Typed value = variant(end, 2);
            if (FIELD_TYPES.containsKey(code)) {
                require(seen.add(code), "twice");
                require(FIELD_TYPES.get(code) == value.type().code(), "type of field");
                checkField(code, value.value());
            }
            fields.add(new Field(code, value));
        }
        require(seen.containsAll(REQUIRED.getOrDefault(type, Set.of())), "missing field");
    }

    private void checkField(int code, Object value) throws Refused {
        String text = value.toString();
        switch (code) {
            case 1 -> require(!text.equals("/org/freedesktop/DBus/Local"), "local path");
            case 2 -> {
                require(isName(INTERFACE, text), "interface");
                require(!text.equals("org.freedesktop.DBus.Local"), "local interface");
            }
            case 3 -> require(isName(MEMBER, text), "member");
            case 4 -> require(isName(INTERFACE, text), "error name");
            case 5 -> require(!value.equals(0), "reply to serial 0");
            case 6, 7 -> require(isName(BUS_NAME, text), "bus name");
            case 8 -> bodyTypes = signature(text);
            case 9 -> require(Integer.compareUnsigned((Integer) value, 253) <= 0, "descriptors");
            default -> {}
        }
    }

    private static boolean isName(Pattern pattern, String text) {
        return text.length() <= 255 && pattern.matcher(text).matches();
    }

    /** Returns the trees of a signature's complete types. */
    static List<Type> signature(String text) throws Refused {
        require(text.length() <= 255, "long signature");
        List<Type> types = new ArrayList<>();
        int[] at = {0};
        while (at[0] < text.length()) {
            types.add(type(text, at, 0, 0, false));
        }
        return types;
    }

    private static Type type(String text, int[] at, int arrays, int structs, boolean element)
            throws Refused {
        require(at[0] < text.length(), "signature ends");
        char code = text.charAt(at[0]++);
        if ("ybnqiuxtdsoghv".indexOf(code) >= 0) {
            return new Type(code, List.of());
        }
        if (code == 'a') {
            require(arrays < 32, "arrays too deep");
            return new Type('a', List.of(type(text, at, arrays + 1, structs, true)));
        }
        require(code == '(' || (code == '{' && element), "code");
        require(structs < 32, "structs too deep");
        List<Type> parts = new ArrayList<>();
        char close = code == '(' ? ')' : '}';
        while (at[0] < text.length() && text.charAt(at[0]) != close) {
            parts.add(type(text, at, arrays, structs + 1, false));
        }
        require(at[0]++ < text.length(), "not closed");
        if (code == '(') {
            require(!parts.isEmpty(), "empty struct");
        } else {
            require(parts.size() == 2, "dict entry of " + parts.size());
            require("ybnqiuxtdsogh".indexOf(parts.getFirst().code()) >= 0, "key not basic");
        }
        return new Type(code, parts);
    }

    private Object value(Type type, int end, int depth) throws Refused {
        align(alignment(type), end);
        return switch (type.code()) {
            case 'y' -> room(1, end).get();
            case 'n', 'q' -> room(2, end).getShort();
            case 'i', 'u', 'h' -> room(4, end).getInt();
            case 'x', 't', 'd' -> room(8, end).getLong();
            case 'b' -> {
                int value = room(4, end).getInt();
                require(value == 0 || value == 1, "boolean");
                yield value == 1;
            }
            case 's', 'o' -> {
                String text = text(Integer.toUnsignedLong(room(4, end).getInt()), end);
                require(type.code() == 's' || PATH.matcher(text).matches(), "path");
                yield text;
            }
            case 'g' -> {
                String text = text(room(1, end).get() & 0xff, end);
                signature(text);
                yield text;
            }
            case 'v' -> variant(end, depth);
            case 'a' -> array(type.parts().getFirst(), end, depth + 1);
            default -> {
                require(depth < 64, "too deep");
                List<Object> members = new ArrayList<>();
                for (Type part : type.parts()) {
                    members.add(value(part, end, depth + 1));
                }
                yield members;
            }
        };
    }

    private List<Object> array(Type element, int end, int depth) throws Refused {
        require(depth <= 64, "too deep");
        long size = Integer.toUnsignedLong(room(4, end).getInt());
        require(size <= 1 << 26, "array too long");
        align(alignment(element), end);
        require(size <= end - in.position(), "array beyond its end");
        int stop = in.position() + (int) size;
        List<Object> elements = new ArrayList<>();
        while (in.position() < stop) {
            elements.add(value(element, stop, depth));
        }
        return elements;
    }

    private Typed variant(int end, int depth) throws Refused {
        require(depth < 64, "too deep");
        List<Type> types = signature(text(room(1, end).get() & 0xff, end));
        require(types.size() == 1, "variant of " + types.size());
        return new Typed(types.getFirst(), value(types.getFirst(), end, depth + 1));
    }

    private String text(long length, int end) throws Refused {
        require(length + 1 <= end - in.position(), "text beyond its end");
        ByteBuffer slice = in.slice(in.position(), (int) length);
        in.position(in.position() + (int) length);
        require(in.get() == 0, "no NUL");
        try {
            String text =
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .onUnmappableCharacter(CodingErrorAction.REPORT)
                            .decode(slice)
                            .toString();
            require(text.indexOf(0) < 0, "NUL inside");
            return text;
        } catch (CharacterCodingException e) {
            throw new Refused("not UTF-8");
        }
    }

    private static int alignment(Type type) {
        return switch (type.code()) {
            case 'y', 'g', 'v' -> 1;
            case 'n', 'q' -> 2;
            case 'b', 'i', 'u', 'h', 's', 'o', 'a' -> 4;
            default -> 8;
        };
    }

    private void align(int alignment, int end) throws Refused {
        while (in.position() % alignment != 0) {
            require(in.position() < end, "ends in padding");
            require(in.get() == 0, "padding");
        }
    }

    private ByteBuffer room(int size, int end) throws Refused {
        require(size <= end - in.position(), "ends");
        return in;
    }

    private static void require(boolean condition, String reason) throws Refused {
        if (!condition) {
            throw new Refused(reason);
        }
    }
}
