package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeldBytesTest {
    private final HeldBytes held = HeldBytes.shared(1024);

    @Test
    void aUserTakesHalfOfWhatOthersLeave() {
        HeldBytes.Account first = held.open(1);
        assertThat(first.take(512)).isTrue();
        assertThat(first.take(1)).isFalse();
        assertThat(held.open(1).take(1)).as("by another connection").isFalse();

        HeldBytes.Account second = held.open(2);
        assertThat(second.take(257)).isFalse();
        assertThat(second.take(256)).isTrue();
        assertThat(held.all()).isEqualTo(768);
    }

    @Test
    void aTrustedUserTakesWhatTheOthersOfItsKindLeave() {
        HeldBytes trusted = HeldBytes.trusted(1024);
        assertThat(trusted.open(0).take(1000)).isTrue();
        assertThat(trusted.open(1).take(25)).isFalse();
        assertThat(trusted.open(1).take(24)).isTrue();
    }

    @Test
    void howeverManyComeTheNextOneFindsSomething() {
        List<HeldBytes.Account> all = new ArrayList<>();
        for (int uid = 0; uid < 10; uid++) {
            HeldBytes.Account account = held.open(uid);
            all.add(account);
            assertThat(account.take(1)).isTrue();
            int taken = 1;
            while (account.take(1)) {
                taken++;
            }
            assertThat(taken).isEqualTo(512 >> uid);
        }
        assertThat(held.all()).isLessThan(1024);
        all.forEach(HeldBytes.Account::close);
        assertThat(held.all()).isZero();
    }

    @Test
    void whatIsGivenBackOrClosedCanBeTakenAgain() {
        HeldBytes.Account account = held.open(1);
        assertThat(account.take(300)).isTrue();
        account.give(200);
        assertThat(account.take(412)).isTrue();
        account.close();
        account.close();
        assertThat(held.all()).isZero();
        assertThat(account.take(1)).as("of one that is closed").isFalse();
        account.give(1);
        assertThat(held.all()).isZero();
        assertThat(held.open(1).take(512)).isTrue();
    }
}
