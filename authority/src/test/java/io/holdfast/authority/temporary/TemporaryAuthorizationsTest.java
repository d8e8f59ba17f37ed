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
                TemporaryAuthorizations temporary =
                        new TemporaryAuthorizations(
                                loop,
                                sessions(),
                                AuthorityState.none(),
                                () -> {},
                                AuthorityState::now);
                Subject.UnixProcess user = process(USER);
                Subject.UnixProcess other = process(USER + 1)) {
            String others = add(temporary, other, "a.other");
            String first = add(temporary, user, "a.0");
            String second = add(temporary, user, "a.1");
            for (int i = 2; i < TemporaryAuthorizations.MAX_PER_USER; i++) {
                var _ = add(temporary, user, "a." + i);
            }
            assertThat(temporary.find(user, "a.0").applicable()).hasSize(1);
            var _ = add(temporary, user, "a.last");
            assertThat(temporary.byId(first)).isEmpty();
            assertThat(temporary.find(user, "a.0").applicable()).isEmpty();
            assertThat(temporary.byId(second)).isPresent();
            assertThat(temporary.byId(others)).as("another user's").isPresent();
            assertThat(temporary.inScope(scope -> scope.uid() == USER))
                    .hasSize(TemporaryAuthorizations.MAX_PER_USER);
        }
        before.awaitSameNumber();
    }

    /** The loop's clock stops while the machine sleeps, so its timer runs too late. */
    @Test
    void whatExpiredWhileTheMachineSleptDoesNotServe() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1000);
        try (EventLoop loop = EventLoop.open();
                TemporaryAuthorizations temporary =
                        new TemporaryAuthorizations(
                                loop, sessions(), AuthorityState.none(), () -> {}, clock::get);
                Subject.UnixProcess user = process(USER)) {
            var _ = add(temporary, user, "a.0");
            assertThat(clock.addAndGet(LIFE.toNanos() - 1)).isNegative();
            assertThat(temporary.find(user, "a.0").applicable()).hasSize(1);
            clock.incrementAndGet();
            assertThat(temporary.find(user, "a.0").applicable()).isEmpty();
            assertThat(temporary.find(user, "a.0").inapplicable())
                    .singleElement()
                    .asString()
                    .contains("expired");
        }
    }

    @Test
    void howOneHasEndedIsKnownForAWhile() {
        AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1000);
        try (EventLoop loop = EventLoop.open();
                TemporaryAuthorizations temporary =
                        new TemporaryAuthorizations(
                                loop, sessions(), AuthorityState.none(), () -> {}, clock::get);
                Subject.UnixProcess user = process(USER);
                Subject.UnixProcess other = process(USER + 1)) {
            String id = add(temporary, user, "a.0");
            temporary.remove(id, "expired");
            temporary.remove(id, "revoked");
            long _ = clock.addAndGet(Duration.ofSeconds(12).toNanos());
            assertThat(temporary.find(user, "a.0").inapplicable())
                    .containsExactly(id + " is expired, since 12 s");
            assertThat(temporary.find(user, "a.1").inapplicable()).isEmpty();
            assertThat(temporary.find(other, "a.0").inapplicable()).isEmpty();
            long _ = clock.addAndGet(Duration.ofMinutes(10).toNanos());
            assertThat(temporary.find(user, "a.0").inapplicable()).isEmpty();
        }
    }

    private Sessions sessions() {
        return new PolicyFolders(folder).display(USER, "7", "seat0", "active").sessions();
    }

    private static Subject.UnixProcess process(long uid) {
        return new Subject.UnixProcess(PidFd.self(), uid, Origin.DESCRIPTOR, Optional.empty());
    }

    private static String add(
            TemporaryAuthorizations temporary, Subject.UnixProcess process, String action) {
        Subject scope = new Subject.UnixSession("7", process.uid());
        return temporary.add(process, action, scope, OptionalLong.empty(), LIFE).id();
    }
}
