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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of decisions. */
class DecisionLogTest {
    @TempDir Path folder;

    @Test
    void aLineOfTheAuditSaysWhoAskedWhatForWhomAndWhy() {
        List<String> lines = new CopyOnWriteArrayList<>();
        Handler handler =
                new Handler() {
                    @Override
                    public void publish(LogRecord line) {
                        lines.add(line.getLevel() + " " + line.getMessage());
                    }

                    @Override
                    public void flush() {}

                    @Override
                    public void close() {}
                };
        Logger audit = Logger.getLogger("io.holdfast.authority.audit");
        Level before = audit.getLevel();
        audit.setLevel(Level.ALL);
        audit.addHandler(handler);
        try (Subject subject =
                new Subject.UnixProcess(PidFd.self(), 20001, Origin.DESCRIPTOR, Optional.empty())) {
            DecisionLog log = new DecisionLog();
            Caller caller = new Caller(":1.7", 20002, Optional.empty());
            CheckRequest request =
                    new CheckRequest(caller, subject, "a.\n{0}", Map.of(), false, false, "");
            ExplanationBuilder explanation = new ExplanationBuilder();
            explanation.add("answer", "why\n");
            Decision yes =
                    new Decision(
                            true,
                            false,
                            Map.of(),
                            Optional.empty(),
                            Optional.of(explanation.build("who")));
            log.tell(request, yes, null);
            ExplanationBuilder dialog = new ExplanationBuilder();
            dialog.add(Check.DIALOG, "user 1 has authenticated, through :1.8");
            dialog.add("answer", "authorized: user 1 has authenticated");
            log.tell(
                    request,
                    new Decision(
                            true,
                            false,
                            Map.of(),
                            Optional.empty(),
                            Optional.of(dialog.build("who"))),
                    null);
            log.tell(request, Decision.refused("up"), null);
            log.tell(
                    request,
                    new Decision(false, true, Map.of(), Optional.empty(), Optional.empty()),
                    null);
            log.tell(request, null, AuthorityException.failed("no such action"));
            log.tell(CheckRequest.of(subject, "a.own", Map.of()), Decision.refused("no"), null);
            assertThat(lines)
                    .containsExactly(
                            "FINE a.\\n{0}: yes for %s, asked by :1.7 of user 20002: why\\n"
                                    .formatted(subject),
                            "INFO a.\\n{0}: yes for %s, asked by :1.7 of user 20002: authorized: user 1 has authenticated"
                                    .formatted(subject),
                            "INFO a.\\n{0}: no for %s, asked by :1.7 of user 20002: up"
                                    .formatted(subject),
                            "INFO a.\\n{0}: challenge for %s, asked by :1.7 of user 20002: "
                                    .formatted(subject),
                            "INFO a.\\n{0}: no answer for %s, asked by :1.7 of user 20002: no such action"
                                    .formatted(subject),
                            "FINE a.own: no for %s, asked by the program itself: no"
                                    .formatted(subject));
        } finally {
            audit.removeHandler(handler);
            audit.setLevel(before);
        }
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
