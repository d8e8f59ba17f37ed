package io.holdfast.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ShortQuestionTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    @Test
    void severalAreAskedAtOnce() {
        CyclicBarrier all = new CyclicBarrier(3);
        List<ShortQuestion<Integer>> questions = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            questions.add(ShortQuestion.start(LONG, all::await)); // each waits for the others
        }
        assertThat(questions).allSatisfy(each -> assertThat(each.answer()).isPresent());
    }

    @Test
    void whatIsAskedAtOnceHasOneDeadline() {
        CountDownLatch never = new CountDownLatch(1);
        List<ShortQuestion<Boolean>> questions = new ArrayList<>();
        for (int i = 0;
                i < 200;
                i++) { // one after the other they would exceed the test's time limit
            questions.add(
                    ShortQuestion.start(
                            Duration.ofMillis(500),
                            () -> {
                                never.await();
                                return true;
                            }));
        }
        assertThat(questions).allSatisfy(each -> assertThat(each.answer()).isEmpty());
        never.countDown();
    }

    @Test
    void aFailureLeavesItOpen() {
        ShortQuestion<String> failed =
                ShortQuestion.start(
                        LONG,
                        () -> {
                            throw new IllegalStateException();
                        });
        assertThat(failed.answer()).isEmpty();
    }
}
