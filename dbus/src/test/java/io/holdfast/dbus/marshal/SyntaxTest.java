package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SyntaxTest {
    private static final String LONG = "a".repeat(126);

    private static void good(Predicate<String> syntax, String... texts) {
        for (String text : texts) {
            assertThat(syntax.test(text)).as(text).isTrue();
        }
    }

    private static void bad(Predicate<String> syntax, String... texts) {
        for (String text : texts) {
            assertThat(syntax.test(text)).as(text).isFalse();
        }
    }

    @Test
    void objectPaths() {
        good(Syntax::isObjectPath, "/", "/foo", "/foo/bar", "/_/0/_9A", "/" + "long".repeat(500));
        bad(
                Syntax::isObjectPath,
                "",
                "foo",
                "//",
                "/foo/",
                "/foo//bar",
                "foo/bar",
                "/foo.bar",
                "/foo-bar",
                "/foo bar",
                "/f\u00f6o",
                "/foo\n",
                "/\0",
                ":/foo");
    }

    @Test
    void interfacesAndErrorNames() {
        for (Predicate<String> syntax :
                Stream.<Predicate<String>>of(Syntax::isInterface, Syntax::isErrorName).toList()) {
            good(
                    syntax,
                    "a.b",
                    "org.freedesktop.DBus",
                    "_a._b.c0",
                    "a0.b9",
                    "Bar.Foo",
                    LONG + "." + LONG + "aa");
            bad(
                    syntax,
                    "",
                    "a",
                    ".",
                    "..",
                    "a.",
                    ".a",
                    "a..b",
                    "a.b.",
                    ".a.b",
                    "0a.b",
                    "a.0b",
                    "a-b.c",
                    "a.b-c",
                    ":a.b",
                    "a b.c",
                    "a.b\u00e4",
                    "a/b.c",
                    LONG + "." + LONG + "aaa");
        }
    }

    @Test
    void members() {
        good(Syntax::isMember, "Hello", "_", "a0", "A_b_C", LONG + LONG + "aaa");
        bad(Syntax::isMember, "", "0a", "a.b", "a-b", "a b", "\u00e4", LONG + LONG + "aaaa");
    }

    @Test
    void busNames() {
        String[] unique = {
            ":1.0", ":1.42", ":0.-", ":a.b", ":_.-.9", ":" + LONG + "." + LONG + "a"
        };
        String[] wellKnown = {"a.b", "org.free-desktop.DBus", "-.-", "_a.-9", "a.b.c.d.e"};
        String[] neither = {
            "",
            "a",
            ":",
            ":a",
            ":.",
            ":a.",
            ":.a",
            ":a..b",
            "a.",
            ".a",
            "a..b",
            "0.a",
            "a.0b",
            "a:b.c",
            "a b.c",
            "::1.0",
            "a.b:",
            "a/b.c",
            ":" + LONG + "." + LONG + "aa"
        };
        good(Syntax::isUniqueName, unique);
        good(Syntax::isBusName, unique);
        bad(Syntax::isWellKnownName, unique);
        good(Syntax::isWellKnownName, wellKnown);
        good(Syntax::isBusName, wellKnown);
        bad(Syntax::isUniqueName, wellKnown);
        bad(Syntax::isBusName, neither);
        bad(Syntax::isUniqueName, neither);
        bad(Syntax::isWellKnownName, neither);
    }

    @Test
    void namespaces() {
        good(Syntax::isNamespace, "a", "a.b", "-", "org.example.A-b");
        bad(Syntax::isNamespace, "", ".", "a.", "0", ":1.0", "a..b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "41",
                "c2 80",
                "df bf",
                "e0 a0 80",
                "ed 9f bf",
                "ee 80 80",
                "ef bf bf",
                "ef bf be",
                "ef b7 90",
                "f0 90 80 80",
                "f4 8f bf bf",
                "7f",
                "01"
            })
    void utf8(String hex) {
        assertUtf8(hex, true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00",
                "80",
                "bf",
                "c0 80",
                "c1 bf",
                "c2",
                "c2 41",
                "c2 c2",
                "e0 9f bf",
                "e0 a0",
                "e0 a0 41",
                "ed a0 80",
                "ed bf bf",
                "f0 8f bf bf",
                "f0 90 80",
                "f0 90 80 c0",
                "f4 90 80 80",
                "f5 80 80 80",
                "f8 88 80 80 80",
                "fe",
                "ff"
            })
    void notUtf8(String hex) {
        assertUtf8(hex, false);
    }

    /**
     * Checks the sequence at every position in texts of many lengths, so that each step of eight
     * bytes is covered.
     */
    private static void assertUtf8(String hex, boolean valid) {
        byte[] sequence = HexFormat.of().parseHex(hex.replace(" ", ""));
        for (int before = 0; before < 18; before++) {
            for (int after = 0; after < 18; after++) {
                byte[] text =
                        ("x".repeat(before) + " ".repeat(sequence.length) + "y".repeat(after))
                                .getBytes(StandardCharsets.US_ASCII);
                System.arraycopy(sequence, 0, text, before, sequence.length);
                assertThat(Syntax.isUtf8(MemorySegment.ofArray(text), 0, text.length))
                        .isEqualTo(valid);
            }
        }
    }

    static Stream<Gen> cases() {
        return Gen.cases(20);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyBytesAreUtf8WhenTheJdkSaysSo(Gen gen) {
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = gen.bytes(40);
            for (int n = gen.between(0, 6); n > 0 && bytes.length > 0; n--) {
                bytes[gen.between(0, bytes.length - 1)] = (byte) gen.between(0, 127);
            }
            if (gen.chance(0.7)) {
                bytes =
                        gen.string("a\u007f\u00e9\u20ac\uffff\ud83d\ude00z", 30)
                                .getBytes(StandardCharsets.UTF_8);
                if (bytes.length > 0 && gen.chance(0.5)) {
                    bytes[gen.between(0, bytes.length - 1)] = (byte) gen.between(0, 255);
                }
            }
            byte[] text = gen.chance(0.2) ? within(gen, bytes) : bytes;
            assertThat(Syntax.isUtf8(MemorySegment.ofArray(text), 0, text.length))
                    .isEqualTo(decodes(text));
        }
    }

    /**
     * Returns a text that is long enough to be checked in blocks, with these bytes anywhere in it.
     */
    private static byte[] within(Gen gen, byte[] bytes) {
        byte[] text = new byte[gen.between(bytes.length, 3_000)];
        Arrays.fill(text, (byte) 'x');
        int at = gen.between(0, text.length - bytes.length);
        System.arraycopy(bytes, 0, text, at, bytes.length);
        return text;
    }

    private static boolean decodes(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString()
                            .indexOf(0)
                    < 0;
        } catch (CharacterCodingException _) {
            return false;
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void namesAreWhatTheirGrammarSays(Gen gen) {
        Pattern path = Pattern.compile("/|(/[A-Za-z0-9_]+)+");
        Pattern inter = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)+");
        Pattern unique = Pattern.compile(":[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)+");
        Pattern name = Pattern.compile("[A-Za-z_-][A-Za-z0-9_-]*(\\.[A-Za-z_-][A-Za-z0-9_-]*)+");
        for (int i = 0; i < 2_000; i++) {
            String text =
                    gen.mutate(gen.oneOf("/ab/c1", "a.b_1.C", ":1.20", "a-b.c9"), "a0_-./:\u00e9");
            assertThat(Syntax.isObjectPath(text)).as(text).isEqualTo(path.matcher(text).matches());
            assertThat(Syntax.isInterface(text)).as(text).isEqualTo(inter.matcher(text).matches());
            assertThat(Syntax.isUniqueName(text))
                    .as(text)
                    .isEqualTo(unique.matcher(text).matches());
            assertThat(Syntax.isWellKnownName(text))
                    .as(text)
                    .isEqualTo(name.matcher(text).matches());
        }
    }
}
