package io.holdfast.manager.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.Gen;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitNameTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "a.service",
                "foo-bar.socket",
                "a:b_c.d.target",
                "-.slice",
                "-.mount",
                "x\\x2dy.path",
                "a@.service",
                "a@b.service",
                "a@b@c.service",
                "a.b@c.d.timer",
                ".foo.service"
            })
    void validNamesAreAccepted(String name) {
        assertThat(UnitName.of(name).text()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "service",
                ".service",
                "a.servicE",
                "a.conf",
                "a b.service",
                "a/b.service",
                "@.service",
                "@a.service",
                "é.service",
                "a%i.service",
                "a.service\n",
                "a!.service"
            })
    void invalidNamesAreRefusedWithTheName(String name) {
        assertThat(UnitName.parse(name)).isEmpty();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> UnitName.of(name))
                .withMessageStartingWith("not a unit name: \"");
    }

    @Test
    void aNameHasAtMost255Characters() {
        String longest = "n".repeat(247) + ".service";
        assertThat(UnitName.parse(longest)).isPresent();
        assertThat(UnitName.parse("n" + longest)).isEmpty();
    }

    @Test
    void aNameComesApart() {
        UnitName instance = UnitName.of("foo-bar@a@b.service");
        assertThat(instance.type()).isEqualTo(UnitType.SERVICE);
        assertThat(instance.prefix()).isEqualTo("foo-bar");
        assertThat(instance.instance()).contains("a@b");
        assertThat(instance.stem()).isEqualTo("foo-bar@a@b");
        assertThat(instance.template()).contains(UnitName.of("foo-bar@.service"));
        assertThat(instance.isInstance()).isTrue();

        UnitName template = UnitName.of("t@.service");
        assertThat(template.isTemplate()).isTrue();
        assertThat(template.instance()).isEmpty();
        assertThat(template.withInstance("x")).isEqualTo(UnitName.of("t@x.service"));

        UnitName plain = UnitName.of("p.target");
        assertThat(plain.isPlain()).isTrue();
        assertThatIllegalArgumentException().isThrownBy(() -> plain.withInstance("x"));
    }

    @ParameterizedTest
    @CsvSource({
        "redis, redis.service",
        "redis.service, redis.service",
        "foo bar, foo\\x20bar.service",
        "foo@a b, foo@a\\x20b.service",
        "/home/x, home-x.mount",
        "/dev/sda, dev-sda.device",
        "a*, a\\x2a.service"
    })
    void whatPeopleTypeBecomesAName(String typed, String name) {
        assertThat(UnitName.ofUserInput(typed)).isEqualTo(UnitName.of(name));
    }

    @Test
    void aSliceKnowsItsAncestors() {
        assertThat(UnitName.of("a-b-c.slice").slicePath())
                .extracting(UnitName::text)
                .containsExactly("a.slice", "a-b.slice", "a-b-c.slice");
        assertThat(UnitName.of("-.slice").slicePath()).isEmpty();
        for (String bad :
                new String[] {"-a.slice", "a-.slice", "a--b.slice", "a@b.slice", "a.target"}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> UnitName.of(bad).slicePath())
                    .withMessageContaining(bad);
        }
    }

    /** Output of systemd-escape 257. */
    @ParameterizedTest
    @CsvSource({".a/-b é, \\x2ea-\\x2db\\x20\\xc3\\xa9", "a.b, a.b", "a:b_c, a:b_c", "'', ''"})
    void textIsEscapedAsSystemdEscapeDoesIt(String text, String escaped) {
        assertThat(UnitEscape.escape(text)).isEqualTo(escaped);
        assertThat(UnitEscape.unescape(escaped)).isEqualTo(text);
    }

    /** Output of systemd-escape -p 257. */
    @ParameterizedTest
    @CsvSource({"/foo//bar/, foo-bar", "/, -", "/../x, x", "/a/./b, a-b", "/a-b, a\\x2db"})
    void pathsAreEscaped(String path, String escaped) {
        assertThat(UnitEscape.escapePath(path)).isEqualTo(escaped);
    }

    @Test
    void whatNothingEscapesToIsRefused() {
        for (String bad : new String[] {"a\\xZZ", "a\\", "\\x0", "\\n", "\\x00", "\\xff"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> UnitEscape.unescape(bad));
        }
        for (String bad : new String[] {"", "a--b", "a-", "..", "a-..-b"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> UnitEscape.unescapePath(bad));
        }
        assertThat(UnitEscape.unescapePath("-")).isEqualTo("/");
        assertThat(UnitEscape.unescapePath("a-b")).isEqualTo("/a/b");
    }

    static Stream<Gen> generated() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void escapingRoundTripsAndFitsIntoNames(Gen gen) {
        String text = gen.string("ab/-.\\@ é€\n:_%", 20);
        String escaped = UnitEscape.escape(text);
        assertThat(UnitEscape.unescape(escaped)).isEqualTo(text);
        assertThat(UnitName.parse("x@" + escaped + ".service")).isPresent();
    }
}
