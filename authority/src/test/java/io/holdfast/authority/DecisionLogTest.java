package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of decisions. */
class DecisionLogTest {
    @TempDir Path folder;

    @Test
    void nobodyWritesLinesOfHisOwn() {
        assertThat(DecisionLog.printable("a\nb\tc\u001b[0m\u007f\u0085\u00e9\ud83d\ude00"))
                .isEqualTo("a?b?c?[0m??\u00e9\ud83d\ude00");
    }

    @Test
    void aDecisionIsAnEventOfTheFlightRecorder() throws IOException {
        Path file = folder.resolve("decisions.jfr");
        try (Recording recording = new Recording();
                Subject subject =
                        new Subject.UnixProcess(
                                PidFd.self(), 20001, Origin.DESCRIPTOR, Optional.empty())) {
            var _ = recording.enable(DecisionEvent.class);
            recording.start();
            CheckRequest request = CheckRequest.of(subject, "a.recorded", Map.of());
            new DecisionLog().tell(request, Decision.refused("meant"), null);
            boolean stopped = recording.stop();
            assertThat(stopped).isTrue();
            recording.dump(file);
        }
        List<RecordedEvent> events =
                RecordingFile.readAllEvents(file).stream()
                        .filter(event ->
                                event.hasField("action")
                                        && "a.recorded".equals(event.getString("action")))
                        .toList();
        assertThat(events).hasSize(1);
        assertThat(events.getFirst().getBoolean("authorized")).isFalse();
        assertThat(events.getFirst().getString("subject")).contains("user 20001");
        assertThat(events.getFirst().getString("caller")).isEqualTo("the program itself");
    }
}
