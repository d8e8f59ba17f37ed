package io.holdfast.core.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
class FairShareTest {
    private static FairShare<Long> share(long limit) {
        return FairShare.of("things", limit, "raise it");
    }

    private static long fill(FairShare<Long> share, long user) {
        long taken = 0;
        while (share.tryTake(user, 1)) {
            taken++;
        }
        return taken;
    }

    @Test
    void eachUserGetsAPartOfWhatOthersLeaveAndTheNextOneFindsSome() {
        FairShare<Long> share = share(600);
        assertThat(fill(share, 1)).isEqualTo(300); // half of 600
        assertThat(fill(share, 2)).isEqualTo(100); // a third of 300
        assertThat(fill(share, 3)).isEqualTo(50); // a quarter of 200
        assertThat(fill(share, 4)).isEqualTo(30);
        assertThat(share.total()).isEqualTo(480);
        assertThat(share.users()).isEqualTo(4);
    }

    @Test
    void aUserAloneMayTakeHalfAtOnceAndNoMore() {
        FairShare<Long> share = share(100);
        assertThat(share.tryTake(1L, 51)).isFalse();
        assertThat(share.tryTake(1L, 50)).isTrue();
        assertThat(share.tryTake(1L, 1)).isFalse();
        assertThat(share.held(1L)).isEqualTo(50);
    }

    @Test
    void whoeverHoldsLittleIsServedWhileSomethingIsFree() {
        FairShare<Long> share = share(2).withLeast(1);
        assertThat(share.tryTake(1L, 1)).isTrue();
        assertThat(share.tryTake(1L, 1)).isFalse();
        assertThat(share.tryTake(2L, 1)).isTrue();
        assertThat(share.tryTake(3L, 1)).isFalse(); // nothing is free
    }

    @Test
    void trustedUsersMayTakeAllThatIsFreeAndHalfIsLeftToThem() {
        FairShare<Long> share = share(80).withTrusted(uid -> uid == 0);
        for (long user = 1; user < 20; user++) {
            long ignored = fill(share, user);
        }
        assertThat(share.total()).isLessThanOrEqualTo(40);
        assertThat(fill(share, 0)).isGreaterThanOrEqualTo(40);
        assertThat(share.total()).isEqualTo(80);
        assertThat(share.tryTake(99L, 1)).isFalse();
    }

    @Test
    void oneThingThatIsHeldAloneMayExceedTheLimit() {
        FairShare<Long> share = share(10).withOneAlone();
        assertThat(share.tryTake(1L, 100)).isTrue();
        assertThat(share.tryTake(1L, 1)).isFalse();
        assertThat(share.tryTake(2L, 1)).isFalse();
        share.release(1L, 100);
        assertThat(share.tryTake(2L, 1)).isTrue();
        assertThat(share.tryTake(1L, 100)).isFalse();
    }

    @Test
    void aChargeGrowsShrinksAndEndsOnce() {
        FairShare<Long> share = share(100);
        Charge<Long> charge = Objects.requireNonNull(share.charge(1L, 10));
        assertThat(charge.grow(40)).isTrue();
        assertThat(charge.grow(1)).isFalse();
        charge.shrink(20);
        assertThat(share.held(1L)).isEqualTo(30);
        charge.close();
        charge.close();
        assertThat(share.total()).isZero();
        assertThat(charge.grow(1)).isFalse();
        charge.shrink(5);
        assertThat(share.total()).isZero();
    }

    @Test
    void moreThanIsHeldIsNotReleased() {
        FairShare<Long> share = share(100);
        assertThat(share.tryTake(1L, 3)).isTrue();
        assertThatThrownBy(() -> share.release(1L, 4)).isInstanceOf(IllegalStateException.class);
        share.release(1L, 3);
        assertThat(share.users()).isZero();
    }

    @Test
    void aLowerLimitTakesNothingAway() {
        FairShare<Long> share = share(100);
        assertThat(share.tryTake(1L, 50)).isTrue();
        share.limit(10);
        assertThat(share.held(1L)).isEqualTo(50);
        assertThat(share.tryTake(2L, 1)).isFalse();
        share.release(1L, 50);
        assertThat(share.tryTake(2L, 5)).isTrue();
    }

    @Test
    void aRefusalNamesTheLimitItsUsersAndTheRemedy() {
        FairShare<Long> share = share(10);
        assertThat(share.tryTake(7L, 3)).isTrue();
        assertThat(share.tryTake(8L, 2)).isTrue();
        assertThat(share.refusal(7L))
                .isEqualTo("things: user 7 holds 3 of 10, others hold 2 (1 user); raise it");
        assertThat(FairShare.of("things", 4, "raise it").refusal(":1.5"))
                .isEqualTo("things: :1.5 holds 0 of 4; raise it");
    }

    static Stream<Gen> cases() {
        return Gen.cases(10);
    }

    /** Compares the share with a model that adds up all charges in each step. */
    @ParameterizedTest
    @MethodSource("cases")
    void whateverIsTakenAndReturnedTheBooksAgreeAndTheRuleHolds(Gen gen) {
        record Held(int user, long amount, Charge<Integer> charge) {}
        FairShare<Integer> share = FairShare.of("things", 1_000, "raise it");
        List<Held> open = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            Map<Integer, Long> model = new HashMap<>();
            open.forEach(each -> model.merge(each.user, each.amount, Long::sum));
            int user = gen.between(0, 11);
            long own = model.getOrDefault(user, 0L);
            assertThat(share.held(user)).isEqualTo(own);
            if (gen.chance(0.6)) {
                long amount = gen.between(1, 60);
                long free = 1_000 - model.values().stream().mapToLong(held -> held).sum();
                int users = model.size() + (own == 0 ? 1 : 0);
                boolean fair = amount <= free && own + amount <= (free + own) / (users + 1);
                @Nullable Charge<Integer> charge = share.charge(user, amount);
                assertThat(charge != null).isEqualTo(fair);
                if (charge != null) {
                    open.add(new Held(user, amount, charge));
                }
            } else if (!open.isEmpty()) {
                open.remove(gen.between(0, open.size() - 1)).charge.close();
            }
        }
        open.forEach(each -> each.charge.close());
        assertThat(share.total()).isZero();
        assertThat(share.users()).isZero();
    }
}
