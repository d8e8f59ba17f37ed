package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.OpenDescriptors;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PipesTest {
    @Test
    void closeClosesTheEndsThatWereNotTaken() {
        OpenDescriptors before = OpenDescriptors.now();
        Pipes pipes = new Pipes(new Settings(new RunStage(Spawn.of("true"), false)));
        try (Fd output = Objects.requireNonNull(pipes.takeOutput())) {
            pipes.close(); // as when the reader of the error cannot be started
            assertThat(output.isOpen()).isTrue();
        }
        before.awaitSameNumber();
    }
}
