package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Checks generated messages, and damaged variants of them, with {@link MessageOracle}. The messages
 * are valid and varied, which coverage-guided fuzzing of bytes (module fuzz) reaches only slowly.
 */
@SameOnEveryKernel
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class MessageFuzzTest {
    private static final int ORIGINALS = 200;
    private static final int MUTANTS = 40;

    private final MessageOracle oracle = new MessageOracle();

    /** 25 cases of 8,200 messages each; a hundred times as many in the long suite. */
    static Stream<Gen> cases() {
        return Gen.cases(25);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theViewAcceptsWhatTheRulesAccept(Gen gen) throws Exception {
        int accepted = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1 << 16);
            for (int i = 0; i < ORIGINALS; i++) {
                byte[] original = GeneratedMessage.any(gen);
                ReferenceMessage.parse(original);
                boolean _ = oracle.agrees(original, memory, gen.between(0, 9));
                for (int j = 0; j < MUTANTS; j++) {
                    if (gen.chance(0.5)) { // so that the mutant meets a known header
                        oracle.read(original, memory, gen.between(0, 9));
                    }
                    if (oracle.agrees(
                            GeneratedMessage.mutate(gen, original), memory, gen.between(0, 9))) {
                        accepted++;
                    }
                }
            }
        }
        assertThat(accepted).isBetween(ORIGINALS, ORIGINALS * MUTANTS);
    }
}
