package io.holdfast.manager.systemd1.format;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.unit.UnitName;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NamesTest {
    private static final String ALPHABET = "abzAZ059_-.:@\\/ \u00e4\u20ac";

    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @Test
    void pathsAreThoseOfSystemd() {
        assertThat(Names.path(UnitName.of("foo-bar@x.service")))
                .isEqualTo("/org/freedesktop/systemd1/unit/foo_2dbar_40x_2eservice");
        assertThat(Names.path(UnitName.of("-.slice")))
                .isEqualTo("/org/freedesktop/systemd1/unit/_2d_2eslice");
        assertThat(Names.escape("83f4")).isEqualTo("_383f4");
        assertThat(Names.escape("")).isEqualTo("_");
        assertThat(Names.jobPath(0)).isEqualTo("/");
        assertThat(Names.jobPath(7)).isEqualTo("/org/freedesktop/systemd1/job/7");
        assertThat(Names.jobAt("/org/freedesktop/systemd1/job/7")).hasValue(7);
        assertThat(Names.jobAt("/org/freedesktop/systemd1/job/07")).isEmpty();
        assertThat(Names.jobAt("/org/freedesktop/systemd1/job/99999999999999999999")).isEmpty();
        assertThat(Names.ofType(UnitName.of("a.socket")))
                .isEqualTo("org.freedesktop.systemd1.Socket");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatIsEscapedIsOneElementAndComesBack(Gen gen) {
        String label = gen.string(ALPHABET, 20);
        String escaped = Names.escape(label);

        assertThat(new ObjectPath("/" + escaped).path()).doesNotContain("//");
        assertThat(escaped).doesNotContain("/");
        assertThat(Names.unescape(escaped)).contains(label);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anythingCanBeUnescapedOrIsRefused(Gen gen) {
        String element = gen.mutate(Names.escape(gen.string(ALPHABET, 20)), ALPHABET);

        Names.unescape(element).ifPresent(label -> assertThat(Names.escape(label)).isNotNull());
        assertThat(Names.labelAt(Names.UNITS_PATH)).isEmpty();
    }
}
