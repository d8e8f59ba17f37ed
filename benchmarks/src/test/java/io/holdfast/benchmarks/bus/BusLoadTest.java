package io.holdfast.benchmarks.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Worker;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Runs the load generator at the reference buses: it finds no lost message, and its answers are
 * complete.
 */
@Timeout(120)
class BusLoadTest {
    @ParameterizedTest
    @ValueSource(strings = {"broker", "daemon"})
    void everyCommandIsAnsweredByARealBus(String kind, @TempDir Path folder) throws Exception {
        String generator = Native.BUSLOAD.build().toString();
        BusProgram program = new BusProgram(kind, path -> List.of(generator, kind, path));

        try (BusProcess bus = program.start(folder);
                Worker load = bus.generator()) {
            assertThat(load.request("roundtrip 20")).hasSize(6).doesNotContain(0);
            for (String command :
                    List.of(
                            "oneway 0 1000 batched 20",
                            "oneway 1024 1000 each 20",
                            "oneway 65536 16 each 20",
                            "calls 64 batched 20",
                            "calls 8 each 20",
                            "broadcast 1 1000 batched 0 20",
                            "broadcast 10 100 each 200 20",
                            "connect 4 20",
                            "credentials 4 20")) {
                assertThat(load.request(command)).as(command).hasSize(4).doesNotContain(0);
            }
            assertThat(load.request("memory 10 100 10")).hasSize(4).doesNotContain(0);
        }
    }
}
