package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.manager.ManagerListener.Level;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever reads what a manager tells slowly, or not at all, holds nobody up. */
@Timeout(60)
class EventLinesTest {
    @Test
    void moreLinesThanTheLimitAreDroppedAndCountedWhereTheyWere() throws Exception {
        List<String> expected = new ArrayList<>(List.of("holdfast: first"));
        try (SlowReader reader = new SlowReader()) {
            try (EventLines lines =
                    new EventLines(new Output(reader.stream(), reader.stream(), false, false))) {
                lines.event(Level.INFO, "first");
                reader.awaitWriter();
                for (int i = 0; i < EventLines.WAITING; i++) {
                    lines.event(Level.INFO, "line " + i);
                    expected.add("holdfast: line " + i);
                }
                for (int i = 0; i < 3; i++) {
                    lines.event(Level.ERROR, "dropped");
                }
                reader.read();
                String told = "holdfast: 3 lines were dropped here";
                Await.until(() -> reader.written().contains(told));
                expected.add(told);
                lines.event(Level.INFO, "there is room again");
                expected.add("holdfast: there is room again");
            }
            assertThat(reader.written().lines()).containsExactlyElementsOf(expected);
        }
    }

    @Test
    void whileThereIsNothingToSayNobodyIsWoken() throws Exception {
        ByteArrayOutputStream taken = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(taken, true, StandardCharsets.UTF_8);
        try (EventLines lines = new EventLines(new Output(stream, stream, false, false))) {
            Await.until(lines::isAtRest);
            lines.event(Level.INFO, "said");
            Await.until(() -> taken.toString(StandardCharsets.UTF_8).contains("said"));
            Await.until(lines::isAtRest);
        }
    }

    @Test
    void atTheEndAllThatWaitsIsPrintedAndWhatIsSaidLaterIsNot() throws Exception {
        List<String> expected = new ArrayList<>(List.of("holdfast: first"));
        try (SlowReader reader = new SlowReader()) {
            EventLines lines =
                    new EventLines(new Output(reader.stream(), reader.stream(), false, false));
            lines.event(Level.INFO, "first");
            reader.awaitWriter();
            for (int i = 0; i < EventLines.WAITING; i++) {
                lines.event(Level.INFO, "line " + i);
                expected.add("holdfast: line " + i);
            }
            lines.event(Level.INFO, "dropped");
            expected.add("holdfast: 1 lines were dropped here");
            Thread closer = Thread.ofPlatform().start(lines::close);
            Await.until(() -> closer.getState() == Thread.State.TIMED_WAITING);
            reader.read();
            closer.join();
            lines.event(Level.INFO, "too late");
            lines.close();
            assertThat(reader.written().lines()).containsExactlyElementsOf(expected);
        }
    }
}
