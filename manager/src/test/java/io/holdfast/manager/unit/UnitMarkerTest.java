package io.holdfast.manager.unit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class UnitMarkerTest {
    private static List<String> words(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(" "));
    }

    @ParameterizedTest
    @CsvSource({
        "'', needs-restart, needs-restart",
        "needs-restart, needs-reload, needs-reload",
        "needs-restart, +needs-reload, needs-reload needs-restart",
        "needs-reload needs-restart, -needs-reload, needs-restart",
        "needs-reload, -needs-reload +needs-restart, needs-restart",
        "needs-reload, +needs-restart -needs-restart, needs-reload",
        "needs-reload, '', needs-reload",
    })
    void wordsChangeMarkers(String before, String change, String after) {
        Set<UnitMarker> markers = EnumSet.noneOf(UnitMarker.class);
        for (UnitMarker.Change each :
                List.of(
                        UnitMarker.Change.parse(words(before)),
                        UnitMarker.Change.parse(words(change)))) {
            markers.removeAll(each.removed());
            markers.addAll(each.added());
        }
        assertThat(UnitMarker.words(markers)).isEqualTo(words(after));
    }

    @ParameterizedTest
    @ValueSource(strings = {"needs-stop", "+", "needs_restart", "needs-reload -needs-restart"})
    void otherWordsAreRefused(String words) {
        assertThatThrownBy(() -> UnitMarker.Change.parse(words(words)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
