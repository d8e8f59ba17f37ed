package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.text.PrintableText;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests the lines of the log as they reach standard error. */
@Timeout(60)
class LogLinesTest {
    /** A program that logs hostile texts in every possible way. */
    static final class Logging {
        static void main() throws Exception {
            System.Logger logger = new LogLines().getLogger("test", LogLines.class.getModule());
            logger.log(System.Logger.Level.DEBUG, "nobody asked");
            logger.log(System.Logger.Level.INFO, "refused {0} of {1}", "\u001b[2J", "a\nb {0}");
            logger.log(System.Logger.Level.WARNING, "plain {0} \u202e");
            logger.log(
                    System.Logger.Level.ERROR,
                    "failed",
                    new IllegalStateException("one\nholdfast: two"));
            logger.log(System.Logger.Level.INFO, "x".repeat(LineQueue.LINE + 1));
            LogLines.notice("caf\u00e9 \u65e5\u672c \ud83d\udc99");
            Thread thread =
                    new Thread(
                            () -> {
                                throw new IllegalStateException("\u0007");
                            },
                            "worker");
            thread.setUncaughtExceptionHandler(LogLines::uncaught);
            thread.start();
            thread.join();
            LogLines.flush();
        }
    }

    @Test
    void everyLineIsOneLineThatATerminalCanShow() {
        ChildJvm.Result result = ChildJvm.run(List.of(), Logging.class);

        assertThat(result.status()).isZero();
        assertThat(
                        result.output()
                                .lines()
                                .map(line -> line.replaceFirst("^<[356]>|^<4>", "holdfast: ")))
                .satisfiesExactly(
                        line ->
                                assertThat(line)
                                        .isEqualTo("holdfast: refused \\u001b[2J of a\\nb {0}"),
                        line -> assertThat(line).endsWith("plain {0} \\u202e"),
                        line ->
                                assertThat(line)
                                        .endsWith(
                                                "failed: java.lang.IllegalStateException:"
                                                        + " one\\nholdfast: two"),
                        line ->
                                assertThat(line)
                                        .isEqualTo(
                                                "holdfast: "
                                                        + "x".repeat(LineQueue.LINE)
                                                        + PrintableText.CUT),
                        line -> assertThat(line).isEqualTo("holdfast: café 日本 💙"),
                        line ->
                                assertThat(line)
                                        .contains(
                                                "thread worker failed:"
                                                        + " java.lang.IllegalStateException:"
                                                        + " \\u0007 at "));
    }
}
