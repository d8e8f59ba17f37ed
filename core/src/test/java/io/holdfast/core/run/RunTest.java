package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Programs that are run to their end. */
@Timeout(60)
class RunTest {
    @Test
    void outputAndErrorAreKept() throws Exception {
        RunResult result = Run.of("sh", "-c", "echo a; echo b; echo c >&2").run();

        assertThat(result.outputLines()).containsExactly("a", "b");
        assertThat(result.error()).isEqualTo("c\n");
        assertThat(result.isSuccess()).isTrue();
    }
}
