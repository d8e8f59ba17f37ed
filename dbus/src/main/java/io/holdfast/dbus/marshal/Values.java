package io.holdfast.dbus.marshal;

import static java.util.Objects.requireNonNull;

import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes bodies as the plain Java values of {@link io.holdfast.dbus.wire.Message#values},
 * where convenience matters more than speed.
 */
public final class Values {
    private Values() {}

    /**
     * {@return the remaining values of the body, or of the container that was entered}
     *
     * @param reader reads the values
     */
    public static List<Object> readAll(BodyReader reader) {
        List<Object> values = new ArrayList<>();
        while (reader.hasNext()) {
            values.add(read(reader));
        }
        return Collections.unmodifiableList(values);
    }

    /**
     * {@return the next value}
     *
     * @param reader reads the values
     * @throws IllegalStateException if no value is left
     */
    public static Object read(BodyReader reader) {
        return switch (reader.kind()) {
            case 'y' -> (byte) reader.readByte();
            case 'b' -> reader.readBoolean();
            case 'n' -> reader.readInt16();
            case 'q' -> reader.readUint16();
            case 'i' -> reader.readInt32();
            case 'u' -> reader.readUint32();
            case 'x' -> reader.readInt64();
            case 't' -> reader.readUint64();
            case 'd' -> reader.readDouble();
            case 's' -> reader.readString();
            case 'o' -> new ObjectPath(reader.readObjectPath());
            case 'g' -> reader.readSignature();
            case 'h' -> new Handle(reader.readHandle());
            case 'v' -> {
                Signature type = reader.enterVariant();
                Object value = read(reader);
                reader.leave();
                yield new Variant(type, value);
            }
            case '(' -> {
                List<Object> members = readAll(reader.enterStruct());
                reader.leave();
                yield new Struct(members);
            }
            case 'a' -> readArray(reader);
            default -> throw new IllegalStateException("nothing is left to read");
        };
    }

    private static Object readArray(BodyReader reader) {
        return switch (reader.type().toString().charAt(1)) {
            case 'y' -> reader.readBytes();
            case '{' -> {
                Map<Object, Object> map = new LinkedHashMap<>();
                reader.enterArray();
                while (reader.hasNext()) {
                    reader.enterDictEntry();
                    map.put(read(reader), read(reader));
                    reader.leave();
                }
                reader.leave();
                yield Collections.unmodifiableMap(map);
            }
            default -> {
                List<Object> elements = readAll(reader.enterArray());
                reader.leave();
                yield elements;
            }
        };
    }

    /**
     * Writes a whole body.
     *
     * @throws IllegalArgumentException if the values do not fit the signature, with the position
     */
    public static void writeAll(BodyWriter writer, List<?> values) {
        Signature signature = writer.signature();
        int n = 0;
        for (Object value : values) {
            if (writer.kind() == 0) {
                throw new IllegalArgumentException(
                        values.size() + " values where '" + signature + "' takes " + n);
            }
            try {
                write(writer, present(value, "it"));
            } catch (Unfit unfit) {
                throw new IllegalArgumentException(
                        "argument " + n + " of '" + signature + "': " + unfit.getMessage());
            }
            n++;
        }
        if (writer.kind() != 0) {
            throw new IllegalArgumentException(
                    values.size() + " values where '" + signature + "' takes more");
        }
    }

    /** Writes a whole body, as {@link #writeAll(BodyWriter, List)} does. */
    public static void writeAll(BodyWriter writer, Object... values) {
        writeAll(writer, Arrays.asList(values));
    }

    /**
     * Writes the next value.
     *
     * @param writer the writer of the body
     * @throws NullPointerException if the value is null
     * @throws IllegalArgumentException if the value does not fit the next type
     */
    public static void write(BodyWriter writer, Object value) {
        requireNonNull(value, "value");
        switch (writer.kind()) {
            case 'y' -> writer.putByte((int) number('y', value, Byte.MIN_VALUE, 0xff));
            case 'n' -> writer.putInt16((int) number('n', value, Short.MIN_VALUE, Short.MAX_VALUE));
            case 'q' -> writer.putUint16((int) number('q', value, 0, 0xffff));
            case 'i' ->
                    writer.putInt32((int) number('i', value, Integer.MIN_VALUE, Integer.MAX_VALUE));
            case 'u' -> writer.putUint32((int) number('u', value, 0, 0xffff_ffffL));
            case 'x' -> writer.putInt64(number('x', value, Long.MIN_VALUE, Long.MAX_VALUE));
            case 't' ->
                    writer.putUint64(
                            number(
                                    't',
                                    value,
                                    value instanceof Long ? Long.MIN_VALUE : 0,
                                    Long.MAX_VALUE));
            case 'b' -> writer.putBoolean(as(Boolean.class, 'b', value));
            case 'd' -> writer.putDouble(as(Double.class, 'd', value));
            case 's' -> writer.putString(as(String.class, 's', value));
            case 'g' -> writer.putSignature(as(Signature.class, 'g', value));
            case 'h' -> writer.putHandle(as(Handle.class, 'h', value).index());
            case 'o' ->
                    writer.putObjectPath(
                            value instanceof ObjectPath(String path)
                                    ? path
                                    : as(String.class, 'o', value));
            case 'v' -> {
                Variant variant = as(Variant.class, 'v', value);
                writer.beginVariant(variant.type());
                write(writer, variant.value());
                writer.endVariant();
            }
            case '(' -> writeStruct(writer, value);
            case 'a' -> writeArray(writer, value);
            default -> throw new IllegalStateException("no value is left to write");
        }
    }

    private static void writeStruct(BodyWriter writer, Object value) {
        List<?> members =
                value instanceof Struct(List<Object> given) ? given : as(List.class, '(', value);
        writer.beginStruct();
        for (Object member : members) {
            if (writer.kind() == 0) {
                throw new Unfit("a struct of " + members.size() + " members, too many");
            }
            write(writer, present(member, "a member"));
        }
        if (writer.kind() != 0) {
            throw new Unfit("a struct of " + members.size() + " members, too few");
        }
        writer.endStruct();
    }

    private static void writeArray(BodyWriter writer, Object value) {
        char element = writer.elementKind();
        if (element == 'y' && value instanceof byte[] bytes) {
            writer.putBytes(bytes);
            return;
        }
        writer.beginArray();
        if (element == '{') {
            Map<?, ?> map = as(Map.class, '{', value);
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                writer.beginDictEntry();
                write(writer, present(entry.getKey(), "a key"));
                write(writer, present(entry.getValue(), "the value of " + entry.getKey()));
                writer.endDictEntry();
            }
        } else {
            int n = 0;
            for (Object each : as(List.class, 'a', value)) {
                write(writer, present(each, "element " + n));
                n++;
            }
        }
        writer.endArray();
    }

    /** Returns the value, or throws if it is null: D-Bus has no null. */
    private static Object present(@Nullable Object value, String what) {
        if (value == null) {
            throw new Unfit(what + " is null");
        }
        return value;
    }

    private static long number(char type, Object value, long low, long high) {
        long number =
                switch (value) {
                    case Byte b -> b;
                    case Short s -> s;
                    case Integer i -> i;
                    case Long l -> l;
                    default -> throw new Unfit(type, value);
                };
        if (number < low || number > high) {
            throw new Unfit("the type '" + type + "' has no " + number);
        }
        return number;
    }

    private static <T> T as(Class<T> wanted, char type, Object value) {
        if (!wanted.isInstance(value)) {
            throw new Unfit(type, value);
        }
        return wanted.cast(value);
    }

    /** Thrown for a value that does not fit its type. */
    private static final class Unfit extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        Unfit(String reason) {
            super(reason);
        }

        Unfit(char type, Object value) {
            this("the type '" + type + "' takes no " + value.getClass().getSimpleName());
        }
    }
}
