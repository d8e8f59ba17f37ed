package io.holdfast.cli.log.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.Match;
import io.holdfast.receiver.Receiver;
import io.holdfast.receiver.ReceiverOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests forwarding to a receiver of the native protocol on this machine: ours, as journald. */
@Timeout(120)
class ForwardJournalTest {
    @TempDir private Path folder;
    private Path own;
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private Receiver journald;
    private Thread thread;

    @BeforeEach
    void open() throws Exception {
        own = Files.createDirectory(folder.resolve("own"));
        start();
    }

    private void start() throws Exception {
        journald =
                Receiver.open(
                        new ReceiverOptions(
                                folder.resolve("run"), received(), false, warnings::add));
        thread = Thread.ofPlatform().start(journald::run);
    }

    @AfterEach
    void close() throws Exception {
        journald.stop();
        thread.join();
        journald.close();
    }

    private Path received() {
        return folder.resolve("received");
    }

    private Destination destination() {
        return new JournalDestination(folder.resolve("run/socket"));
    }

    private Entry find(String message) throws Exception {
        try (JournalReader reader = JournalReader.openFolders(List.of(received()))) {
            reader.filter(Match.field("MESSAGE", message));
            Entry entry = Objects.requireNonNull(reader.next(), message);
            assertThat(reader.next()).as("a second one").isNull();
            return entry;
        }
    }

    @Test
    void theTrueSenderIsTheObjectOfAMessage() throws Exception {
        String large = "x".repeat(250_000); // more than a datagram holds
        try (JournalWriter writer = ForwardStage.writer(own)) {
            long _ =
                    writer.append(
                            List.of(
                                    Field.of("MESSAGE", "two\nlines"),
                                    Field.of("PRIORITY", "3"),
                                    Field.of("_PID", "77"),
                                    Field.of("_SYSTEMD_UNIT", "web.service")));
            ForwardStage.write(writer, large);
            try (ForwardStage stage = new ForwardStage(own, destination())) {
                Await.until(() -> stage.isIdleAfter(2));
            }
        }
        journald.synchronize();
        Entry entry = find("two\nlines");
        assertThat(entry.text("PRIORITY")).contains("3");
        assertThat(entry.text("OBJECT_SYSTEMD_UNIT")).contains("web.service");
        assertThat(entry.text("SYSLOG_PID")).contains("77");
        assertThat(entry.text("_PID")).contains(Long.toString(ProcessHandle.current().pid()));
        assertThat(find(large).text("PRIORITY")).contains("3");
        assertThat(warnings).isEmpty();
    }

    @Test
    void whatAUserClaimsIsNotTheWordOfRoot() throws Exception {
        try (JournalWriter writer = ForwardStage.writer(own)) {
            long _ =
                    writer.append(
                            List.of(
                                    Field.of("MESSAGE", "forged"),
                                    Field.of("UNIT", "bank.service"),
                                    Field.of("COREDUMP_UNIT", "bank.service"),
                                    Field.of("OBJECT_SYSTEMD_UNIT", "bank.service"),
                                    Field.of("OBJECT_PID", "1"),
                                    Field.of("HOLDFAST_FORWARDED", "1"),
                                    Field.of("_SYSTEMD_UNIT", "session-1.scope"),
                                    Field.of("_SYSTEMD_USER_UNIT", "bank.service"),
                                    Field.of("_SYSTEMD_OWNER_UID", "4711"),
                                    Field.of("_UID", "4711")));
            long _ =
                    writer.append(
                            List.of(
                                    Field.of("MESSAGE", "of the manager"),
                                    Field.of("UNIT", "bank.service"),
                                    Field.of("_UID", "0")));
            try (ForwardStage stage = new ForwardStage(own, destination())) {
                Await.until(() -> stage.isIdleAfter(2));
            }
        }
        journald.synchronize();
        Entry forged = find("forged");
        assertThat(forged.fields())
                .filteredOn(field -> field.name().equals("OBJECT_SYSTEMD_UNIT"))
                .containsExactly(Field.of("OBJECT_SYSTEMD_UNIT", "session-1.scope"));
        assertThat(forged.text("OBJECT_SYSTEMD_USER_UNIT")).isEmpty();
        assertThat(forged.text("UNIT")).isEmpty();
        assertThat(forged.text("COREDUMP_UNIT")).isEmpty();
        assertThat(forged.text("OBJECT_PID")).isEmpty();
        assertThat(find("of the manager").text("UNIT")).contains("bank.service");
    }

    @Test
    void messagesWaitWhileJournaldIsDown() throws Exception {
        close();
        Files.delete(folder.resolve("run/socket"));
        try (JournalWriter writer = ForwardStage.writer(own)) {
            ForwardStage.write(writer, "kept");
            try (ForwardStage stage = new ForwardStage(own, destination())) {
                Await.until(() -> stage.counters().counters().retried() > 0);
                start();
                Await.until(() -> stage.isIdleAfter(1));
            }
        }
        journald.synchronize();
        assertThat(find("kept").text("OBJECT_SYSTEMD_UNIT")).contains("web.service");
    }

    @Test
    void aMessageThatWasForwardedIsNotForwardedAgain() throws Exception {
        try (JournalWriter writer = ForwardStage.writer(own)) {
            ForwardStage.write(writer, "once");
            try (ForwardStage stage = new ForwardStage(own, destination())) {
                Await.until(() -> stage.isIdleAfter(1));
            }
        }
        journald.synchronize();
        try (ForwardStage stage = new ForwardStage(received(), destination())) {
            Await.until(() -> stage.isIdleAfter(1));
        }
        journald.synchronize();
        assertThat(find("once").text("OBJECT_SYSTEMD_UNIT")).contains("web.service");
    }
}
