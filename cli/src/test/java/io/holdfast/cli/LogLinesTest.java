package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever reads the log slowly, or not at all, holds nobody up. */
@Timeout(60)
class LogLinesTest {
    private static final int WAITING = 4;

    /** A program that logs while nobody reads, and then says what was written. */
    static final class Logging {
        static void main() throws Exception {
            SlowReader reader = new SlowReader();
            System.setErr(reader.stream());
            LogLines.notice("first");
            reader.awaitWriter();
            for (int i = 0; i < WAITING; i++) {
                LogLines.notice("line " + i);
            }
            System.Logger logger = new LogLines().getLogger("test", LogLines.class.getModule());
            for (int i = 0; i < 3; i++) {
                logger.log(System.Logger.Level.ERROR, "dropped");
            }
            reader.read();
            LogLines.flush();
            LogLines.notice("there is room again");
            LogLines.flush();
            System.out.print(reader.written());
        }
    }

    @Test
    void moreLinesThanTheLimitAreDropped() {
        ChildJvm.Result result =
                ChildJvm.run(List.of("-Dio.holdfast.logLines=" + WAITING), Logging.class);
        assertThat(result.output().lines().map(line -> line.replaceFirst("<5>|holdfast: ", "")))
                .containsExactly(
                        "first", "line 0", "line 1", "line 2", "line 3", "there is room again");
        assertThat(result.status()).isZero();
    }
}
