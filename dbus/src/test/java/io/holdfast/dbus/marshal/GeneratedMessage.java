package io.holdfast.dbus.marshal;

import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Generates valid messages of every shape, and damages a few bytes of them. */
final class GeneratedMessage {
    private static final String BASIC = "ybnqiuxtdsogh";
    private static final int MOST_ELEMENTS = 60;

    private final Gen gen;
    private final ByteOrder order;
    private final WireBuffer buffer;

    /** The number of values that containers may still get. */
    private int budget = MOST_ELEMENTS;

    private GeneratedMessage(Gen gen) {
        this.gen = gen;
        order = gen.oneOf(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN);
        buffer = new WireBuffer(order);
    }

    /** Generates a valid message of at most a few kilobytes. */
    static byte[] any(Gen gen) {
        return new GeneratedMessage(gen).write();
    }

    private byte[] write() {
        int type = gen.chance(0.9) ? gen.between(1, 4) : gen.between(5, 255);
        buffer.putByte(order == ByteOrder.LITTLE_ENDIAN ? 'l' : 'B');
        buffer.putByte(type);
        buffer.putByte(gen.chance(0.5) ? 0 : gen.between(0, 255));
        buffer.putByte(1);
        buffer.putInt(0);
        buffer.putInt(gen.between(1, 1 << 30));
        buffer.putInt(0);
        Signature body = gen.chance(0.2) ? Signature.EMPTY : signature(gen.between(0, 5));
        for (int code : codes(type, !body.toString().isEmpty())) {
            field(code, body);
        }
        buffer.patchInt(12, buffer.length() - 16);
        buffer.align(8);
        int start = buffer.length();
        fill(body);
        buffer.patchInt(4, buffer.length() - start);
        return buffer.memory().toArray(ValueLayout.JAVA_BYTE);
    }

    private List<Integer> codes(int type, boolean body) {
        List<Integer> codes = new ArrayList<>();
        for (int code = 1; code <= 10; code++) {
            boolean required =
                    switch (type) {
                        case MessageType.METHOD_CALL -> code == 1 || code == 3;
                        case MessageType.METHOD_RETURN -> code == 5;
                        case MessageType.ERROR -> code == 4 || code == 5;
                        case MessageType.SIGNAL -> code <= 3;
                        default -> false;
                    };
            if (code == 8 ? body || gen.chance(0.1) : required || gen.chance(0.3)) {
                codes.add(code);
            }
        }
        while (gen.chance(0.15)) {
            codes.add(gen.between(11, 255));
        }
        Collections.shuffle(codes, new Random(gen.anyLong()));
        return codes;
    }

    private void field(int code, Signature body) {
        buffer.align(8);
        buffer.putByte(code);
        if (code > 10) {
            Signature type = Signature.of(type(gen.between(0, 3)));
            buffer.putSignature(type);
            fill(type);
            return;
        }
        buffer.putByte(1);
        buffer.putByte(HeaderField.typeOf(code));
        buffer.putByte(0);
        switch (code) {
            case 1, 10 -> buffer.putText(path());
            case 2, 4 -> buffer.putText("a.b" + gen.string("aZ_9", 12) + ".c_1");
            case 3 -> buffer.putText("M" + gen.string("aZ_9", 12));
            case 5 -> buffer.putInt(gen.between(1, 1000));
            case 6, 7 ->
                    buffer.putText(
                            gen.chance(0.5)
                                    ? ":1." + gen.between(0, 99_999)
                                    : "a-" + gen.string("aZ_9-", 12) + ".b.c_1");
            case 8 -> buffer.putSignature(body);
            default -> buffer.putInt(gen.between(0, 253));
        }
    }

    private String path() {
        StringBuilder path = new StringBuilder();
        for (int n = gen.between(0, 3); n > 0; n--) {
            path.append('/').append('e').append(gen.string("aZ_9", 9));
        }
        return path.isEmpty() ? "/" : path.toString();
    }

    private Signature signature(int types) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < types; n++) {
            text.append(type(gen.between(0, 4)));
        }
        return Signature.of(text.toString());
    }

    private String type(int depth) {
        if (depth == 0 || gen.chance(0.4)) {
            return gen.chance(0.1) ? "v" : basic();
        }
        return switch (gen.between(0, 3)) {
            case 0 -> "a" + type(depth - 1);
            case 1 -> "a{" + basic() + type(depth - 1) + "}";
            case 2 -> "v";
            default -> {
                StringBuilder members = new StringBuilder("(").append(type(depth - 1));
                while (gen.chance(0.5) && members.length() < 20) {
                    members.append(type(depth - 1));
                }
                yield members.append(')').toString();
            }
        };
    }

    private String basic() {
        return gen.chance(0.3)
                ? "s"
                : String.valueOf(BASIC.charAt(gen.between(0, BASIC.length() - 1)));
    }

    private void fill(Signature types) {
        BodyWriter writer = new BodyWriter(buffer, new MessageWriter()).begin(types);
        while (writer.kind() != 0) {
            value(writer, 4);
        }
        writer.requireComplete();
    }

    private void value(BodyWriter writer, int variants) {
        switch (writer.kind()) {
            case 'y' -> writer.putByte(gen.between(0, 255));
            case 'b' -> writer.putBoolean(gen.chance(0.5));
            case 'n' -> writer.putInt16(gen.between(-5, 5));
            case 'q' -> writer.putUint16(gen.between(0, 65_535));
            case 'i' -> writer.putInt32((int) gen.anyLong());
            case 'u' -> writer.putUint32((int) gen.anyLong());
            case 'x' -> writer.putInt64(gen.anyLong());
            case 't' -> writer.putUint64(gen.between(0, 2));
            case 'd' -> writer.putDouble(Double.longBitsToDouble(gen.anyLong()));
            case 's' -> writer.putString(gen.string("abcdefghijklmnop\u00e9\u20ac\uffff", 30));
            case 'o' -> writer.putObjectPath(path());
            case 'g' -> writer.putSignature(signature(gen.between(0, 2)));
            case 'h' -> writer.putHandle(gen.between(0, 3));
            case 'v' -> {
                writer.beginVariant(Signature.of(type(variants)));
                value(writer, Math.max(0, variants - 1));
                writer.endVariant();
            }
            case 'a' -> {
                writer.beginArray();
                for (int n = gen.between(0, 4); n > 0 && budget-- > 0; n--) {
                    value(writer, variants);
                }
                writer.endArray();
            }
            case '(' -> {
                writer.beginStruct();
                while (writer.kind() != 0) {
                    value(writer, variants);
                }
                writer.endStruct();
            }
            default -> {
                writer.beginDictEntry();
                value(writer, variants);
                value(writer, variants);
                writer.endDictEntry();
            }
        }
    }

    /** Damages the message in one to three places; often repairs its framing. */
    static byte[] mutate(Gen gen, byte[] original) {
        byte[] mutant = original.clone();
        for (int n = gen.between(1, 3); n > 0 && mutant.length > 0; n--) {
            int at = gen.between(0, mutant.length - 1);
            switch (gen.between(0, 8)) {
                case 0 -> mutant[at] ^= (byte) (1 << gen.between(0, 7));
                case 1 -> mutant[at] = (byte) gen.between(0, 255);
                case 2 ->
                        mutant[at] =
                                (byte) gen.string("ybnqiuxtdsoghva(){}/.:-_0A", 1).chars().sum();
                case 3, 4 -> addTo(mutant, at & ~3, gen);
                case 5 -> mutant = without(mutant, at, gen.between(1, 8));
                case 6 -> mutant = twice(mutant, at & ~7, 8 * gen.between(1, 3));
                case 7 -> mutant[at] = gen.oneOf((byte) 0, (byte) 1, (byte) -1);
                default -> mutant[0] = gen.oneOf((byte) 'l', (byte) 'B');
            }
        }
        if (gen.chance(0.7) && mutant.length >= 16) {
            fitBody(mutant);
        }
        return mutant;
    }

    /** Changes four bytes that may be a length. */
    private static void addTo(byte[] bytes, int at, Gen gen) {
        if (at + 4 <= bytes.length) {
            ByteBuffer in = order(bytes);
            in.putInt(at, in.getInt(at) + gen.oneOf(-8, -4, -1, 1, 4, 8, 1 << 26, 1 << 31));
        }
    }

    private static ByteBuffer order(byte[] bytes) {
        return ByteBuffer.wrap(bytes)
                .order(bytes[0] == 'B' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] without(byte[] bytes, int at, int count) {
        int end = Math.min(bytes.length, at + count);
        byte[] rest = new byte[bytes.length - (end - at)];
        System.arraycopy(bytes, 0, rest, 0, at);
        System.arraycopy(bytes, end, rest, at, bytes.length - end);
        return rest;
    }

    private static byte[] twice(byte[] bytes, int at, int count) {
        int end = Math.min(bytes.length, at + count);
        byte[] more = Arrays.copyOf(bytes, bytes.length + end - at);
        System.arraycopy(bytes, at, more, end, bytes.length - at);
        return more;
    }

    /**
     * Sets the length of the body to the bytes that follow the header, if the header ends within.
     */
    static void fitBody(byte[] bytes) {
        ByteBuffer in = order(bytes);
        long header = (16 + Integer.toUnsignedLong(in.getInt(12)) + 7) & -8;
        if (header <= bytes.length) {
            in.putInt(4, (int) (bytes.length - header));
        }
    }

    /** Returns whether a dict in the body has a key twice: a Map keeps only one of them. */
    static boolean hasDictTwice(ReferenceMessage message) {
        for (int i = 0; i < message.bodyTypes.size(); i++) {
            if (hasDictTwice(message.bodyTypes.get(i), message.body.get(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasDictTwice(ReferenceMessage.Type type, Object value) {
        if (value instanceof ReferenceMessage.Typed(ReferenceMessage.Type inner, Object content)) {
            return hasDictTwice(inner, content);
        }
        if (!(value instanceof List<?> parts)) {
            return false;
        }
        boolean dict = type.code() == 'a' && type.parts().getFirst().code() == '{';
        if (dict
                && parts.stream().map(entry -> ((List<?>) entry).getFirst()).distinct().count()
                        < parts.size()) {
            return true;
        }
        for (int i = 0; i < parts.size(); i++) {
            if (hasDictTwice(type.parts().get(type.code() == 'a' ? 0 : i), parts.get(i))) {
                return true;
            }
        }
        return false;
    }
}
