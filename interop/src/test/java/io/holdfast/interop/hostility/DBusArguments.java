package io.holdfast.interop.hostility;

import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Generates values for D-Bus signatures. For one message. */
final class DBusArguments {
    /** polkit's subjects and identities. */
    private static final String KIND_AND_DETAILS = "(sa{sv})";

    private static final int LONG_ARRAY = 300;
    private static final long[] NUMBERS = {0, 1, 2, 15, 100, 127};

    private final Words words;
    private final Gen gen;
    private final long pid;
    private int descriptors;

    /**
     * @param pid the PID of a live process
     */
    DBusArguments(Words words, Gen gen, long pid) {
        this.words = words;
        this.gen = gen;
        this.pid = pid;
    }

    /** Returns how many descriptors the values so far refer to. */
    int descriptors() {
        return descriptors;
    }

    /** Generates a value of one complete type. */
    Object value(String type, String argument) {
        return switch (type.charAt(0)) {
            case 'y' -> gen.between(0, 255);
            case 'b' -> gen.chance(0.5);
            case 'n', 'q', 'i', 'u', 'x', 't' -> number(argument);
            case 'd' -> 0.5;
            case 's' -> words.next(gen, argument);
            case 'o' -> gen.oneOf("/", "/org/freedesktop/systemd1", "/no/such/object");
            case 'g' -> "a{sv}";
            case 'h' -> new Handle(descriptors++);
            case 'v' -> variant(argument);
            case '(' -> type.equals(KIND_AND_DETAILS) ? subject() : struct(type, argument);
            case 'a' -> array(type.substring(1), argument);
            default -> throw new IllegalArgumentException("no type: " + type);
        };
    }

    private long number(String argument) {
        return argument.contains("pid") ? pid : NUMBERS[gen.between(0, NUMBERS.length - 1)];
    }

    private Variant variant(String argument) {
        String type = gen.oneOf("s", "u", "b", "as");
        return new Variant(Signature.of(type), value(type, argument));
    }

    private Struct struct(String type, String argument) {
        List<Object> members = new ArrayList<>();
        for (Signature member : Signature.of(type.substring(1, type.length() - 1)).types()) {
            members.add(value(member.toString(), argument));
        }
        return new Struct(members);
    }

    private Object array(String element, String argument) {
        if (element.startsWith("{")) {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = gen.between(0, 3); i > 0; i--) {
                List<Signature> entry =
                        Signature.of(element.substring(1, element.length() - 1)).types();
                map.put(
                        value(entry.getFirst().toString(), argument),
                        value(entry.getLast().toString(), argument));
            }
            return map;
        }
        int length = gen.chance(0.1) ? LONG_ARRAY : gen.between(0, 3);
        if (element.equals("y")) {
            return new byte[gen.oneOf(0, 16, LONG_ARRAY)];
        }
        List<Object> list = new ArrayList<>();
        for (int i = 0; i < length; i++) {
            list.add(value(element, argument));
        }
        return list;
    }

    private Struct subject() {
        return switch (gen.between(0, 4)) {
            case 0 -> Struct.of("unix-session", Map.of("session-id", Variant.of("1")));
            case 1 -> Struct.of("unix-user", Map.of("uid", Variant.of("u", 0)));
            case 2 -> Struct.of("system-bus-name", Map.of("name", Variant.of(":1.0")));
            case 3 ->
                    Struct.of(
                            "unix-process",
                            Map.of(
                                    "pidfd",
                                    Variant.of("h", new Handle(descriptors++)),
                                    "uid",
                                    Variant.of("i", 0)));
            default ->
                    Struct.of(
                            "unix-process",
                            Map.of(
                                    "pid",
                                    Variant.of("u", pid),
                                    "start-time",
                                    Variant.of("t", 0L),
                                    "uid",
                                    Variant.of("i", 0)));
        };
    }
}
