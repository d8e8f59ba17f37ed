package io.holdfast.authority.temporary;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.survival.AuthorityState;
import io.holdfast.core.EventLoop;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests how many temporary authorizations are remembered, and for how long. */
class TemporaryAuthorizationsTest {
    private static final long USER = 20001;
    private static final Duration LIFE = Duration.ofMinutes(5);

    @TempDir private Path folder;

    @Test
    void theOldestOfAUserGoesWhenHeHasTooMany() {
        OpenDescriptors before = OpenDescriptors.now();
        try (EventLoop loop = EventLoop.open();
                TemporaryAuthorizations kept =
                        new TemporaryAuthorizations(loop, sessions(), () -> {});
                Subject.UnixProcess user = process(USER);
                Subject.UnixProcess other = process(USER + 1)) {
            String others = add(kept, other, "a.other");
            String first = add(kept, user, "a.0");
            String second = add(kept, user, "a.1");
            for (int i = 2; i < TemporaryAuthorizations.MAX_PER_USER; i++) {
                var _ = add(kept, user, "a." + i);
            }
            assertThat(kept.find(user, "a.0").fit()).hasSize(1);
            var _ = add(kept, user, "a.last");
            assertThat(kept.byId(first)).isEmpty();
            assertThat(kept.find(user, "a.0").fit()).isEmpty();
            assertThat(kept.byId(second)).isPresent();
            assertThat(kept.byId(others)).as("another user's").isPresent();
            assertThat(kept.inScope(scope -> scope.uid() == USER))
                    .hasSize(TemporaryAuthorizations.MAX_PER_USER);
        }
        before.awaitSameNumber();
    }

    /** The loop's clock stops while the machine sleeps, so its timer runs too late. */
    @Test
    void whatExpiredWhileTheMachineSleptDoesNotServe() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1000);
        try (EventLoop loop = EventLoop.open();
                TemporaryAuthorizations kept =
                        new TemporaryAuthorizations(
                                loop, sessions(), AuthorityState.none(), () -> {}, clock::get);
                Subject.UnixProcess user = process(USER)) {
            var _ = add(kept, user, "a.0");
            assertThat(clock.addAndGet(LIFE.toNanos() - 1)).isNegative();
            assertThat(kept.find(user, "a.0").fit()).hasSize(1);
            clock.incrementAndGet();
            assertThat(kept.find(user, "a.0").fit()).isEmpty();
            assertThat(kept.find(user, "a.0").unfit())
                    .singleElement()
                    .asString()
                    .contains("expired");
        }
    }

    @Test
    void howOneHasEndedIsKnownForAWhile() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1000);
        try (EventLoop loop = EventLoop.open();
                TemporaryAuthorizations kept =
                        new TemporaryAuthorizations(
                                loop, sessions(), AuthorityState.none(), () -> {}, clock::get);
                Subject.UnixProcess user = process(USER);
                Subject.UnixProcess other = process(USER + 1)) {
            String id = add(kept, user, "a.0");
            kept.remove(id, "expired");
            kept.remove(id, "revoked");
            long _ = clock.addAndGet(Duration.ofSeconds(12).toNanos());
            assertThat(kept.find(user, "a.0").unfit())
                    .containsExactly(id + " is expired, since 12 s");
            assertThat(kept.find(user, "a.1").unfit()).isEmpty();
            assertThat(kept.find(other, "a.0").unfit()).isEmpty();
            long _ = clock.addAndGet(Duration.ofMinutes(10).toNanos());
            assertThat(kept.find(user, "a.0").unfit()).isEmpty();
        }
    }

    private Sessions sessions() {
        return new PolicyFolders(folder).display(USER, "7", "seat0", "active").sessions();
    }

    private static Subject.UnixProcess process(long uid) {
        return new Subject.UnixProcess(PidFd.self(), uid, Origin.DESCRIPTOR, Optional.empty());
    }

    private static String add(
            TemporaryAuthorizations kept, Subject.UnixProcess process, String action) {
        Subject scope = new Subject.UnixSession("7", process.uid());
        return kept.add(process, action, scope, OptionalLong.empty(), LIFE).id();
    }
}
