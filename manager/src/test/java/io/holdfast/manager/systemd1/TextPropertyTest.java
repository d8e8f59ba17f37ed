package io.holdfast.manager.systemd1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.unit.UnitType;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Properties of transient units as people write them. */
class TextPropertyTest {
    private static Struct property(String directive, String text) {
        return TextProperty.of(UnitType.SERVICE, directive, text);
    }

    private static Struct words(String name, String... words) {
        return Struct.of(name, Variant.of("as", List.of(words)));
    }

    @Test
    void aListIsSplitIntoWordsAsInAUnitFile() {
        assertThat(property("Environment", " \"A=x y\" 'B=1' C=a\\x20b "))
                .isEqualTo(words("Environment", "A=x y", "B=1", "C=a b"));
        assertThat(property("SupplementaryGroups", "a  b"))
                .isEqualTo(words("SupplementaryGroups", "a", "b"));
        assertThat(property("Environment", "")).isEqualTo(words("Environment"));
    }

    @Test
    void anOpenQuoteIsRefused() {
        assertThatThrownBy(() -> property("Environment", "\"A=x y"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("never closed");
    }
}
