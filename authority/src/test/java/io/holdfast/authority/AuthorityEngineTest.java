package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the life and the log of an engine. */
@Timeout(120)
class AuthorityEngineTest {
    private static final long USER = 4711;
    private static final int CLOSES = 10;

    @TempDir Path folder;

    /** Collects the lines of the authority's log until this is closed. */
    private static final class Lines extends Handler implements AutoCloseable {
        private final Logger logger = Logger.getLogger("io.holdfast.authority");
        private final List<String> lines = new CopyOnWriteArrayList<>();

        Lines() {
            logger.addHandler(this);
        }

        @Override
        public void publish(LogRecord line) {
            lines.add(line.getMessage());
        }

        @Override
        public void flush() {}

        @Override
        public void close() {
            logger.removeHandler(this);
        }
    }

    private static List<Thread> loops() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("holdfast-authority"))
                .toList();
    }

    @Test
    void theLoopHasEndedWhenAnInterruptedThreadHasClosedTheEngine() throws Exception {
        PolicyFolders folders = new PolicyFolders(folder).action("a.yes", "yes");
        OpenDescriptors before = OpenDescriptors.now();
        List<Thread> others = loops();
        for (int i = 0; i < CLOSES; i++) {
            AuthorityEngine engine = AuthorityEngine.open(folders.options());
            Thread.currentThread().interrupt();
            engine.close();
            assertThat(Thread.interrupted()).isTrue();
            assertThat(loops()).filteredOn(thread -> !others.contains(thread)).isEmpty();
        }
        before.awaitSameNumber();
    }

    @Test
    void oneUsersLinesOfARuleDoNotHideThoseOfAnother() throws Exception {
        PolicyFolders folders = new PolicyFolders(folder).action("a.yes", "yes");
        folders.rules(
                "10.rules",
                "polkit.addRule(function(action, subject) { polkit.log('asked by ' + subject.user); });");
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options());
                Lines log = new Lines()) {
            for (int i = 0; i < 2 * AuthorityLimits.LINES_OF_USER.intValue(); i++) {
                check(engine, USER);
            }
            check(engine, USER + 1);
            String innocent = "asked by " + (USER + 1);
            assertThat(log.lines).filteredOn(line -> line.contains(innocent)).hasSize(1);
            assertThat(log.lines)
                    .filteredOn(line -> line.endsWith("asked by " + USER))
                    .hasSize(AuthorityLimits.LINES_OF_USER.intValue());
        }
    }

    private static void check(AuthorityEngine engine, long uid) {
        Subject subject = new Subject.UnixProcess(PidFd.self(), uid, Origin.PEER, Optional.empty());
        Caller caller = new Caller("test", 0, Optional.empty());
        assertThat(
                        engine.check(
                                        new CheckRequest(
                                                caller, subject, "a.yes", Map.of(), false, false,
                                                ""))
                                .join()
                                .isAuthorized())
                .isTrue();
    }
}
