package io.holdfast.core.wait;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
@Timeout(60)
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
                slots.remove(key); // a second remove must not remove another value
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

    @Test
    void threadsThatShareItNeverShareASlot() throws Exception {
        Slots<Object> slots = new Slots<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                all.add(
                        threads.submit(() -> {
                            List<Long> keys = new ArrayList<>();
                            List<Object> values = new ArrayList<>();
                            for (int i = 0; i < 100_000; i++) {
                                Object value = new Object();
                                keys.add(slots.add(value));
                                values.add(value);
                                if (keys.size() == 100 + 37 * (i % 5)) {
                                    for (int k = 0; k < keys.size(); k++) {
                                        assertThat(slots.get(keys.get(k))).isSameAs(values.get(k));
                                        slots.remove(keys.get(k));
                                        assertThat(slots.get(keys.get(k))).isNull();
                                    }
                                    keys.clear();
                                    values.clear();
                                }
                            }
                            keys.forEach(slots::remove);
                            return null;
                        }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        }
        assertThat(slots.values()).isEmpty();
        Set<Long> slotsOfKeys = new HashSet<>();
        for (int i = 0; i < 4 * 300; i++) { // reuses the freed slots: none may be handed out twice
            assertThat(slotsOfKeys.add(slots.add("it") & 0xFFFF_FFFFL)).isTrue();
        }
        assertThat(slots.values()).hasSize(4 * 300);
    }
}
