package io.holdfast.core.linux;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
class SlotsTest {
    static Stream<Gen> cases() {
        return Gen.cases(50);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aKeyFindsWhatItWasGivenForAndNeverASuccessor(Gen gen) {
        Slots<String> slots = new Slots<>();
        Map<Long, String> live = new HashMap<>();
        List<Long> dead = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            if (live.isEmpty() || gen.chance(0.55)) {
                String value = "value " + i;
                Long key = slots.add(value);
                assertThat(live).doesNotContainKey(key);
                assertThat(dead).doesNotContain(key);
                live.put(key, value);
            } else {
                Long key = gen.oneOf(List.copyOf(live.keySet()));
                slots.remove(key);
                slots.remove(key); // a second time removes nobody else
                live.remove(key);
                dead.add(key);
            }
        }
        live.forEach((key, value) -> assertThat(slots.get(key)).isSameAs(value));
        dead.forEach(key -> assertThat(slots.get(key)).isNull());
    }

    @Test
    void aKeyThatNeverWasFindsNothing() {
        Slots<String> slots = new Slots<>();
        assertThat(slots.get(0)).isNull();
        assertThat(slots.get(-1)).isNull();
        assertThat(slots.get(1_000_000)).isNull();
        long key = slots.add("it");
        assertThat(slots.get(key + (1L << 32))).isNull();
        assertThat(slots.get(key)).isEqualTo("it");
    }
}
