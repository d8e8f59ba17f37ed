package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.loop.ManagerLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The output that is kept of all units together. */
@Timeout(60)
class LogBudgetTest {
    private static final int MOST = 100_000;

    private final LogBudget budget = new LogBudget(MOST);

    private UnitLog log() {
        UnitLog log = new UnitLog(200, UnitLog.DEFAULT_LINE_BYTES, budget);
        budget.add(log);
        return log;
    }

    private static void write(UnitLog log, String line) {
        byte[] bytes = (line + "\n").getBytes(UTF_8);
        log.write(bytes, 0, bytes.length);
    }

    @Test
    void theNoisiestUnitsLoseTheirOldestLinesAndAQuietOneNone() {
        UnitLog quiet = log();
        write(quiet, "one");
        write(quiet, "two");
        List<UnitLog> noisy = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            noisy.add(log());
        }
        for (int round = 0; round < 300; round++) {
            for (UnitLog log : noisy) {
                write(log, round + "\u0142".repeat(320));
                assertThat(budget.held()).isLessThanOrEqualTo(MOST);
            }
        }
        assertThat(quiet.last(10)).containsExactly("one", "two");
        assertThat(noisy).allSatisfy(log -> assertThat(log.last(1).getFirst()).startsWith("299"));
        assertThat(budget.held())
                .isGreaterThan(MOST / 2)
                .isEqualTo(quiet.bytes() + noisy.stream().mapToLong(UnitLog::bytes).sum());
    }

    @Test
    void aRemovedLogTakesNothing() {
        UnitLog log = log();
        write(log, "a line");
        budget.remove(log);
        budget.remove(log);
        assertThat(budget.held()).isZero();
    }

    /** What the limits of single units add up to must not count: only what they take together. */
    @Test
    void theOutputKeptOfAllUnitsFitsIntoTheHeapOfTheCommand() throws Exception {
        String layout = Files.readString(Path.of("../scripts/layout"));
        Matcher heap = Pattern.compile("daemon_flags=.*-Xmx([0-9]+)m").matcher(layout);
        assertThat(heap.find()).isTrue();
        long bytes = Long.parseLong(heap.group(1)) << 20;
        assertThat(ManagerLimits.LOG_MEMORY.value()).isLessThanOrEqualTo(bytes / 4);
        long unfinished = ManagerLimits.UNITS.value() * UnitLog.DEFAULT_LINE_BYTES;
        assertThat(ManagerLimits.LOG_MEMORY.value() + unfinished)
                .isLessThanOrEqualTo(bytes * 3 / 4);
    }
}
