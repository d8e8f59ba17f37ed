package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests that a reader that reads slowly, or not at all, delays only the lines. */
@Timeout(60)
class LineQueueTest {
    private static final Duration LONG = Duration.ofMinutes(1);

    @Test
    void linesBeyondTheLimitAreDroppedAndCountedWhereTheyAreMissing() throws Exception {
        List<String> expected = new ArrayList<>(List.of("first"));
        try (SlowReader reader = new SlowReader()) {
            LineQueue queue = new LineQueue(reader.stream(), "queue: ");
            queue.add("first");
            reader.awaitWriter();
            for (int i = 0; i < LineQueue.LINES.value(); i++) {
                queue.add("line " + i);
                expected.add("line " + i);
            }
            for (int i = 0; i < 3; i++) {
                queue.add("dropped");
            }
            reader.read();
            String dropped = "queue: dropped 3 lines here: the output is not read fast enough";
            Await.until(() -> reader.written().contains(dropped));
            expected.add(dropped);
            queue.add("there is room again");
            expected.add("there is room again");
            assertThat(queue.flush(LONG)).isTrue();
            assertThat(reader.written().lines()).containsExactlyElementsOf(expected);
        }
    }

    @Test
    void theCharactersThatWaitAreBoundedToo() throws Exception {
        String longest = "x".repeat(LineQueue.LINE);
        int fit = LineQueue.CHARACTERS.intValue() / LineQueue.LINE;
        try (SlowReader reader = new SlowReader()) {
            LineQueue queue = new LineQueue(reader.stream(), "");
            queue.add("first");
            reader.awaitWriter();
            for (int i = 0; i < fit + 7; i++) {
                queue.add(longest);
            }
            reader.read();
            assertThat(queue.flush(LONG)).isTrue();
            assertThat(reader.written().lines())
                    .hasSize(1 + fit + 1)
                    .endsWith("dropped 7 lines here: the output is not read fast enough");
        }
    }

    @Test
    void aStalledReaderDelaysTheEndForABoundedTime() throws Exception {
        try (SlowReader reader = new SlowReader()) {
            LineQueue queue = new LineQueue(reader.stream(), "");
            queue.add("first");
            reader.awaitWriter();
            queue.add("second");

            assertThat(queue.flush(Duration.ofMillis(10))).isFalse();
            reader.read();
            assertThat(queue.flush(LONG)).isTrue();
            assertThat(reader.written()).isEqualTo("first\nsecond\n");
        }
    }

    @Test
    void whileThereIsNothingToWriteNoThreadWakes() throws Exception {
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        LineQueue queue = new LineQueue(new PrintStream(taken, true, StandardCharsets.UTF_8), "");
        assertThat(queue.isIdle()).isTrue();
        queue.add("a line");
        assertThat(queue.flush(LONG)).isTrue();
        Await.until(queue::isIdle);
        assertThat(taken.toString(StandardCharsets.UTF_8)).isEqualTo("a line\n");
    }
}
