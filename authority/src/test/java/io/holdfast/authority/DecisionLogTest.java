package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests the log and the events of decisions. */
class DecisionLogTest {
    @TempDir Path folder;

    /** Collects the lines of the audit log until this is closed. */
    private static final class AuditLines extends Handler implements AutoCloseable {
        private final Logger audit = Logger.getLogger("io.holdfast.authority.audit");
        private final Level before = audit.getLevel();
        private final List<String> lines = new CopyOnWriteArrayList<>();

        AuditLines() {
            audit.setLevel(Level.ALL);
            audit.addHandler(this);
        }

        @Override
        public void publish(LogRecord line) {
            lines.add(line.getLevel() + " " + line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
            audit.removeHandler(this);
            audit.setLevel(before);
        }
    }

    private final AtomicLong clock = new AtomicLong();

    private DecisionLog decisionLog() {
        return new DecisionLog((_, _) -> {}, clock::get);
    }

    private static Subject subject(long uid) {
        return new Subject.UnixProcess(PidFd.self(), uid, Origin.DESCRIPTOR, Optional.empty());
    }

    private static CheckRequest request(Caller caller, Subject subject, String action) {
        return new CheckRequest(caller, subject, action, Map.of(), false, false, "");
    }

    private static Decision challenge() {
        return new Decision(false, true, Map.of(), Optional.empty(), Optional.empty());
    }

    @Test
    void oneUsersRefusalsNeitherFillTheLogNorHideOthers() {
        AuditLines audit = new AuditLines();
        try (audit;
                Subject flooding = subject(20001);
                Subject other = subject(20002)) {
            DecisionLog log = decisionLog();
            Caller user = new Caller(":1.7", 20001, Optional.empty());
            Caller daemon = new Caller(":1.8", 0, Optional.empty());
            int burst = AuthorityLimits.LINES_OF_USER.intValue();
            for (int i = 0; i < 50; i++) {
                log.report(request(user, flooding, "a.flood"), challenge(), null);
                log.report(request(daemon, flooding, "a.flood"), Decision.refused("no"), null);
            }
            assertThat(audit.lines).hasSize(burst);
            log.report(request(daemon, other, "a.other"), Decision.refused("no"), null);
            assertThat(audit.lines).hasSize(burst + 1);
            assertThat(audit.lines.getLast()).contains("a.other: no");
            clock.addAndGet(AuthorityLimits.LINE_INTERVAL.duration().toNanos());
            log.report(request(daemon, other, "a.last"), Decision.refused("no"), null);
            assertThat(audit.lines.get(burst + 1))
                    .contains("a.flood: ")
                    .endsWith(" (and " + (100 - burst - 1) + " more like it)");
            assertThat(audit.lines.getLast()).contains("a.last: no");
        }
    }

    @Test
    void refusalsDoNotHideWhatAUserAuthenticatedFor() {
        AuditLines audit = new AuditLines();
        try (audit;
                Subject subject = subject(20001)) {
            DecisionLog log = decisionLog();
            Caller caller = new Caller(":1.7", 20001, Optional.empty());
            for (int i = 0; i < 50; i++) {
                log.report(request(caller, subject, "a.flood"), challenge(), null);
            }
            ExplanationBuilder dialog = new ExplanationBuilder();
            dialog.add(Check.DIALOG, "user 1 has authenticated, through :1.8");
            log.report(
                    request(caller, subject, "a.granted"),
                    new Decision(
                            true,
                            false,
                            Map.of(),
                            Optional.empty(),
                            Optional.of(dialog.build("who"))),
                    null);
            assertThat(audit.lines.getLast()).contains("a.granted: yes");
        }
    }

    @Test
    void aCallerIsResponsibleForWhatItMayNotAsk() {
        AuditLines audit = new AuditLines();
        try (audit;
                Subject victim = subject(20002)) {
            DecisionLog log = decisionLog();
            Caller caller = new Caller(":1.7", 20001, Optional.empty());
            for (int i = 0; i < 50; i++) {
                log.report(
                        request(caller, victim, "a.foreign"),
                        null,
                        AuthorityException.failed("not yours"));
            }
            log.report(request(caller, victim, "a.own"), challenge(), null);
            assertThat(audit.lines.getLast()).contains("a.own: challenge");
        }
    }

    @Test
    void aLineIsCut() {
        AuditLines audit = new AuditLines();
        try (audit;
                Subject subject = subject(20001)) {
            Caller caller = new Caller(":1.7", 20001, Optional.empty());
            decisionLog().report(request(caller, subject, "a".repeat(100_000)), challenge(), null);
            assertThat(audit.lines.getFirst()).hasSizeLessThan(UserLines.LENGTH + 100);
        }
    }

    @Test
    void aLineOfTheAuditSaysWhoAskedWhatForWhomAndWhy() {
        AuditLines audit = new AuditLines();
        try (audit;
                Subject subject = subject(20001)) {
            DecisionLog log = decisionLog();
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
            log.report(request, yes, null);
            ExplanationBuilder dialog = new ExplanationBuilder();
            dialog.add(Check.DIALOG, "user 1 has authenticated, through :1.8");
            dialog.add("answer", "authorized: user 1 has authenticated");
            log.report(
                    request,
                    new Decision(
                            true,
                            false,
                            Map.of(),
                            Optional.empty(),
                            Optional.of(dialog.build("who"))),
                    null);
            log.report(request, Decision.refused("up"), null);
            log.report(
                    request,
                    new Decision(false, true, Map.of(), Optional.empty(), Optional.empty()),
                    null);
            log.report(request, null, AuthorityException.failed("no such action"));
            log.report(CheckRequest.of(subject, "a.own", Map.of()), Decision.refused("no"), null);
            assertThat(audit.lines)
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
            decisionLog().report(request, Decision.refused("meant"), null);
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
