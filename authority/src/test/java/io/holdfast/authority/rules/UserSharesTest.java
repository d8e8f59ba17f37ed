package io.holdfast.authority.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.Gen;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UserSharesTest {
    private static int fill(UserShares shares, long user) {
        int taken = 0;
        while (shares.tryTake(user)) {
            taken++;
        }
        return taken;
    }

    @Test
    void eachLeavesSomethingForTheNext() {
        UserShares shares = new UserShares(64);
        assertThat(fill(shares, 0)).as("root is a user like others").isEqualTo(32);
        assertThat(fill(shares, 1)).isEqualTo(10);
        assertThat(fill(shares, 2)).isEqualTo(5);
        int users = 3;
        while (fill(shares, users) > 0) {
            users++;
        }
        assertThat(users).isGreaterThanOrEqualTo(16);
        assertThat(shares.refusal(0, "programs", "a.property"))
                .isEqualTo("user 0 has 32 programs, which is his share of 64 (a.property)");
        assertThat(shares.refusal(users, "programs", "a.property"))
                .isEqualTo(users + " users have 64 programs, which is the limit (a.property)");
    }

    @Test
    void oneOfTwoIsForAnother() {
        UserShares shares = new UserShares(2);
        assertThat(fill(shares, 1)).isEqualTo(1);
        assertThat(fill(shares, 2)).isEqualTo(1);
        assertThat(fill(shares, 3)).isZero();
        shares.release(1);
        assertThat(fill(shares, 3)).isEqualTo(1);
    }

    @Test
    void aLimitOfOneIsWhoseTurnItIs() {
        UserShares shares = new UserShares(1);
        assertThat(fill(shares, 1)).isEqualTo(1);
        assertThat(shares.mayTake(2)).isFalse();
        shares.limit(2);
        assertThat(shares.mayTake(1)).isFalse();
        assertThat(fill(shares, 2)).isEqualTo(1);
        shares.limit(1);
        shares.release(1);
        assertThat(shares.mayTake(1)).as("above the new limit").isFalse();
    }

    @Test
    void aLimitOfNoneGivesNothing() {
        assertThat(new UserShares(0).tryTake(1)).isFalse();
    }

    @Test
    void whatWasNotTakenIsNotGivenBack() {
        UserShares shares = new UserShares(4);
        assertThatIllegalStateException().isThrownBy(() -> shares.release(1));
    }

    static Stream<Gen> cases() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whateverTheyDoTheLimitHoldsAndNobodyHasMoreThanHalf(Gen gen) {
        int limit = gen.between(2, 100);
        UserShares shares = new UserShares(limit);
        Map<Long, Integer> model = new HashMap<>();
        for (int step = 0; step < 500; step++) {
            long user = gen.between(0, 8);
            if (gen.chance(0.7)) {
                if (shares.tryTake(user)) {
                    int _ = model.merge(user, 1, Integer::sum);
                }
            } else if (model.getOrDefault(user, 0) > 0) {
                shares.release(user);
                int _ = model.merge(user, -1, Integer::sum);
            }
            assertThat(model.values().stream().mapToInt(Integer::intValue).sum())
                    .isLessThanOrEqualTo(limit);
            assertThat(shares.taken(user)).isEqualTo(model.getOrDefault(user, 0));
            assertThat(model.values()).allMatch(own -> own <= limit / 2);
        }
    }
}
