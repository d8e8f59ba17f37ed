package io.holdfast.manager.systemd1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.manager.loop.ManagerLimits;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnitFilterTest {
    private static boolean admits(List<String> states, List<String> patterns) {
        return UnitFilter.of(states, patterns)
                .admits(new UnitFileList.Entry("a.service", "/etc/a.service", "enabled"));
    }

    @Test
    void aNameMatchesOneOfThePatternsIfThereAreAny() {
        assertThat(admits(List.of(), List.of())).isTrue();
        assertThat(admits(List.of(), List.of("b*", "a.*"))).isTrue();
        assertThat(admits(List.of(), List.of("b*"))).isFalse();
    }

    @Test
    void aUnitIsInOneOfTheStatesIfThereAreAny() {
        assertThat(admits(List.of("static", "enabled"), List.of())).isTrue();
        assertThat(admits(List.of("static"), List.of("a*"))).isFalse();
    }

    @Test
    void tooManyWordsAreRefusedWithTheLimit() {
        int most = ManagerLimits.PATTERNS.intValue();
        assertThat(admits(List.of(), Collections.nCopies(most, "a.*"))).isTrue();
        assertThatThrownBy(() -> admits(List.of(), Collections.nCopies(most + 1, "a.*")))
                .hasMessageContaining("257 patterns, at most 256 are allowed")
                .hasMessageContaining("-Dio.holdfast.manager.patterns=");
        assertThatThrownBy(() -> admits(Collections.nCopies(most + 1, "failed"), List.of()))
                .hasMessageContaining("257 states");
    }

    @Test
    void tooManyCharactersAreRefusedWithTheLimit() {
        String longest = "a*".repeat(ManagerLimits.PATTERN_CHARACTERS.intValue() / 2);
        assertThat(admits(List.of(), List.of(longest))).isFalse();
        assertThatThrownBy(() -> admits(List.of(), List.of(longest, "*")))
                .hasMessageContaining("-Dio.holdfast.manager.patternCharacters=");
    }
}
