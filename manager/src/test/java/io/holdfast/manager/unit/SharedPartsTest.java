package io.holdfast.manager.unit;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class SharedPartsTest {
    private record Part(int value) {}

    @Test
    void equalPartsAreOneObject() {
        Part first = SharedParts.of(new Part(1));
        Part second = SharedParts.of(new Part(2));
        assertThat(SharedParts.of(new Part(1))).isSameAs(first);
        assertThat(SharedParts.of(new Part(2))).isSameAs(second);
    }

    @Test
    void aPartOfEachUnitIsKeptWhateverTheOthersSet() {
        Part shared = SharedParts.of(new Part(0));
        for (int unit = 1; unit < 10_000; unit++) {
            assertThat(SharedParts.of(new Part(unit))).isEqualTo(new Part(unit));
            assertThat(SharedParts.of(new Part(0))).isSameAs(shared);
        }
    }
}
