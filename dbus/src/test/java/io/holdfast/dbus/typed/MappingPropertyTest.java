package io.holdfast.dbus.typed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.generate.InterfaceGenerator;
import io.holdfast.dbus.generate.IntrospectionReader;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.testkit.CompiledSources;
import io.holdfast.dbus.typed.value.Descriptors;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random interfaces: the source that is generated from their XML compiles and has the same types,
 * and their values survive the conversion to Java and back.
 */
@SameOnEveryKernel
class MappingPropertyTest {
    private static final int METHODS = 40;
    private static final String NAME = "org.example.Random";

    @TempDir Path folder;

    static Stream<Gen> cases() {
        return Gen.cases(3);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyInterfaceKeepsItsTypesAndValues(Gen gen) throws Exception {
        Map<String, List<String>> methods = new LinkedHashMap<>();
        StringBuilder xml = new StringBuilder("<node><interface name='" + NAME + "'>");
        for (int i = 0; i < METHODS; i++) {
            String in = String.join("", gen.list(3, () -> type(gen, 4)));
            String out = String.join("", gen.list(3, () -> type(gen, 4)));
            methods.put("M" + i, List.of(in, out));
            xml.append("<method name='M" + i + "'>");
            arguments(xml, in, "in");
            arguments(xml, out, "out");
            xml.append("</method>");
        }
        xml.append("</interface></node>");
        try (CompiledSources compiled =
                CompiledSources.of(
                        folder,
                        InterfaceGenerator.generate(
                                IntrospectionReader.read(
                                        "random", xml.toString().getBytes(UTF_8))))) {
            TypedInterface type = TypedInterface.of(compiled.type(NAME));
            assertThat(type.methods()).hasSize(METHODS);
            for (TypedMethod method : type.methods()) {
                List<String> expected = methods.get(method.member());
                assertThat(List.of(method.inSignature(), method.result().signature()))
                        .isEqualTo(expected);
                for (Slot slot : method.in()) {
                    comesBack(gen, slot);
                }
                List<Object> plain =
                        Signature.of(method.result().signature()).types().stream()
                                .map(each -> value(gen, each, 3))
                                .toList();
                String types = method.result().signature();
                assertThat(
                                written(
                                        types,
                                        method.result()
                                                .toWire(method.result().toJava(plain, NONE))))
                        .isEqualTo(written(types, plain));
            }
        }
    }

    private static final Descriptors NONE =
            handle -> {
                throw new AssertionError(handle);
            };

    private static void comesBack(Gen gen, Slot slot) {
        Object plain = value(gen, Signature.of(slot.type().signature()), 3);
        String type = slot.type().signature();
        assertThat(written(type, List.of(slot.toWire(slot.toJava(plain, NONE)))))
                .isEqualTo(written(type, List.of(plain)));
    }

    /** Marshals values, since equal values on the wire may be of several Java classes. */
    private static byte[] written(String types, List<?> plain) {
        MessageWriter message = new MessageWriter().signal("/", "a.b", "C").serial(1);
        if (!types.isEmpty()) {
            Values.writeAll(message.body(Signature.of(types)), plain);
        }
        return message.finish().toArray(ValueLayout.JAVA_BYTE);
    }

    private static void arguments(StringBuilder xml, String types, String direction) {
        for (Signature type : Signature.of(types).types()) {
            xml.append("<arg type='" + type + "' direction='" + direction + "'/>");
        }
    }

    private static String type(Gen gen, int depth) {
        return switch (depth == 0 ? 0 : gen.between(0, 4)) {
            case 1 -> "a" + type(gen, depth - 1);
            case 2 ->
                    "a{"
                            + gen.oneOf("y", "n", "q", "i", "u", "x", "t", "s", "o", "b")
                            + type(gen, depth - 1)
                            + "}";
            case 3 ->
                    "("
                            + type(gen, depth - 1)
                            + String.join("", gen.list(3, () -> type(gen, depth - 1)))
                            + ")";
            default -> gen.oneOf("y", "b", "n", "q", "i", "u", "x", "t", "d", "s", "o", "g", "v");
        };
    }

    /** Returns a plain value like a received one. */
    private static Object value(Gen gen, Signature type, int most) {
        String text = type.toString();
        return switch (text.charAt(0)) {
            case 'y' -> (byte) gen.anyLong();
            case 'b' -> gen.chance(0.5);
            case 'n' -> (short) gen.anyLong();
            case 'q' -> gen.between(0, 0xffff);
            case 'i' -> (int) gen.anyLong();
            case 'u' -> gen.anyLong() & 0xffff_ffffL;
            case 'x', 't' -> gen.anyLong();
            case 'd' -> (double) gen.anyLong();
            case 's' -> gen.string("aä€ x", 5);
            case 'o' -> new ObjectPath(gen.oneOf("/", "/a", "/a/b"));
            case 'g' -> Signature.of(gen.oneOf("", "s", "a{sv}"));
            case 'v' -> Variant.of("u", gen.anyLong() & 0xffff_ffffL);
            case '(' ->
                    new Struct(
                            Signature.of(text.substring(1, text.length() - 1)).types().stream()
                                    .map(each -> value(gen, each, most))
                                    .toList());
            case 'a' -> array(gen, text.substring(1), most);
            default -> throw new AssertionError(text);
        };
    }

    private static Object array(Gen gen, String element, int most) {
        if (element.equals("y")) {
            return gen.bytes(most);
        }
        if (element.startsWith("{")) {
            Map<Object, Object> map = new LinkedHashMap<>();
            Signature value = Signature.of(element.substring(2, element.length() - 1));
            for (Object key :
                    gen.list(most, () -> value(gen, Signature.of(element.substring(1, 2)), 0))) {
                map.put(key, value(gen, value, most - 1));
            }
            return map;
        }
        return gen.list(Math.max(0, most), () -> value(gen, Signature.of(element), most - 1));
    }
}
