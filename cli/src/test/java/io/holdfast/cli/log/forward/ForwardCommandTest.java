package io.holdfast.cli.log.forward;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.log.forward.TestCollector.Reply;
import io.holdfast.cli.metrics.ServedMetrics;
import io.holdfast.core.testkit.Await;
import io.holdfast.journal.JournalWriter;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code holdfast logs --forward} as a process. */
@Timeout(180)
class ForwardCommandTest {
    @TempDir private Path folder;

    private CommandProcess start(String url) throws Exception {
        CommandProcess process =
                CommandProcess.start(
                        "logs",
                        "-D",
                        folder.toString(),
                        "--forward",
                        url,
                        "--cursor-file",
                        folder.resolve("cursor").toString(),
                        "--metrics",
                        folder.resolve("metrics").toString());
        process.await("forwarding to " + url);
        return process;
    }

    @Test
    void aProcessThatIsKilledBeforeTheAnswerRepeatsAndLosesNothing() throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        CountDownLatch killed = new CountDownLatch(1);
        try (TestCollector collector =
                        new TestCollector(_ -> {
                            arrived.countDown();
                            Await.until(() -> killed.getCount() == 0);
                            return Reply.OK; // nobody hears it
                        });
                JournalWriter writer = ForwardStage.writer(folder)) {
            ForwardStage.write(writer, "one", "two");
            try (CommandProcess first = start(collector.url())) {
                arrived.await();
                first.signal("KILL");
                int _ = first.exitCode();
                killed.countDown();
            }
            collector.behave(_ -> Reply.OK);
            ForwardStage.write(writer, "three");
            try (CommandProcess second = start(collector.url())) {
                Await.until(() -> collector.confirmed.contains("three"));
                Await.until(() ->
                        ServedMetrics.of(folder.resolve("metrics"))
                                        .value("holdfast_forward_sent_total")
                                == 3);
                second.signal("TERM");
                assertThat(second.exitCode()).as(second.lines().toString()).isZero();
            }
            assertThat(collector.confirmed.reversed().subList(0, 3))
                    .containsExactly("three", "two", "one");
        }
    }

    @Test
    void saysWhatIsMissing() {
        assertThat(Invocation.of("logs", "--forward", "http://localhost/").err())
                .contains("needs --cursor-file");
        assertThat(
                        Invocation.of("logs", "--forward", "ftp://h/", "--cursor-file", "/tmp/none")
                                .err())
                .contains("no protocol ftp");
    }
}
