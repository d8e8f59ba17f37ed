package io.holdfast.manager.systemd1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which units a list is to have. */
class UnitListTest {
    @Test
    void oneOfThePatternsMustFitAndOfNoneAllDo() {
        assertThat(UnitList.matching(List.of()).test("a.service")).isTrue();
        assertThat(UnitList.matching(List.of("b*", "a.*")).test("a.service")).isTrue();
        assertThat(UnitList.matching(List.of("b*")).test("a.service")).isFalse();
    }

    @Test
    void asManyPatternsAsAreAllowedAreTriedAndOneMoreIsRefused() {
        List<String> most = Collections.nCopies(UnitList.PATTERNS, "a.*");
        assertThat(UnitList.matching(most).test("a.service")).isTrue();

        List<String> more = Collections.nCopies(UnitList.PATTERNS + 1, "a.*");
        assertThatThrownBy(() -> UnitList.matching(more))
                .hasMessageContaining("io.holdfast.manager.patterns");
    }
}
