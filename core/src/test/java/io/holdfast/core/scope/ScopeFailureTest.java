package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Deadline;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a scope releases when its mechanism fails. */
@Timeout(60)
class ScopeFailureTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    /** A group whose calls fail as often as they are told to. */
    private static final class FailingGroup implements Group {
        private final AtomicInteger readFailures = new AtomicInteger();
        private final AtomicInteger killFailures = new AtomicInteger();
        private final AtomicInteger removeFailures = new AtomicInteger();
        private final AtomicInteger kills = new AtomicInteger();
        private final CountDownLatch closed = new CountDownLatch(1);
        private final int errno;

        private FailingGroup(int errno) {
            this.errno = errno;
        }

        private void failAsOften(AtomicInteger failures) {
            if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new ErrnoException("test", "group", errno);
            }
        }

        @Override
        public Guarantee guarantee() {
            return Guarantee.CGROUP;
        }

        @Override
        public Child start(Spawn spawn) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void adopt(PidFd process) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<PidFd> members() {
            failAsOften(readFailures);
            return List.of();
        }

        @Override
        public boolean isEmpty() {
            failAsOften(readFailures);
            return true;
        }

        @Override
        public boolean awaitEmpty(Deadline deadline) {
            failAsOften(readFailures);
            return true;
        }

        @Override
        public boolean kill(Starts starts, Deadline deadline) {
            failAsOften(killFailures);
            kills.incrementAndGet();
            return true;
        }

        @Override
        public void remove() {
            failAsOften(removeFailures);
        }

        @Override
        public void close() {
            closed.countDown();
        }

        private boolean isClosed() {
            return closed.getCount() == 0;
        }
    }

    private static ProcessScope scope(FailingGroup group) {
        ScopeOptions options = ScopeOptions.standard().withGrace(LONG);
        return new ProcessScope(ScopeName.random("test", false), options, new Starts(), group);
    }

    private static void assertCloseFails(ProcessScope scope, int errno) {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(scope::close)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void aFailedKillReleasesTheScope() {
        FailingGroup group = new FailingGroup(Errno.EACCES);
        group.killFailures.set(1);
        ProcessScope scope = scope(group);

        assertCloseFails(scope, Errno.EACCES);

        assertThat(group.isClosed()).isTrue();
        assertThatCode(scope::close).doesNotThrowAnyException();
    }

    @Test
    void aFailedRemovalReleasesTheScope() {
        FailingGroup group = new FailingGroup(Errno.EBUSY);
        group.removeFailures.set(1);

        assertCloseFails(scope(group), Errno.EBUSY);

        assertThat(group.isClosed()).isTrue();
    }

    @Test
    void aGraceThatFailsIsFollowedByTheKill() {
        FailingGroup group = new FailingGroup(Errno.EACCES);
        group.readFailures.set(1);

        scope(group).close();

        assertThat(group.kills).hasValue(1);
        assertThat(group.isClosed()).isTrue();
    }

    @Test
    void aRemovalThatIsShortOfDescriptorsIsRepeated() throws Exception {
        FailingGroup group = new FailingGroup(Errno.EMFILE);
        group.removeFailures.set(3);

        assertCloseFails(scope(group), Errno.EMFILE);

        group.closed.await();
    }

    @Test
    void theWaitForAnEmptyScopeContinuesThroughAShortage() {
        FailingGroup group = new FailingGroup(Errno.EMFILE);
        group.readFailures.set(2);
        try (ProcessScope scope = scope(group)) {
            assertThat(scope.onEmpty()).succeedsWithin(LONG);
        }
    }
}
