package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests the tasks that are posted to the authority's loop. */
@Timeout(60)
class LoopTasksTest {
    private final EventLoop loop = EventLoop.open(LoopTasks.MAX);
    private final LoopTasks tasks = new LoopTasks(loop);
    private final List<String> done = new ArrayList<>();

    @AfterEach
    void close() {
        tasks.close();
        loop.close();
    }

    private void turn() {
        assertThat(loop.step(Duration.ofSeconds(20))).isPositive();
    }

    private void assertRefused(String why) {
        assertThatExceptionOfType(RejectedExecutionException.class)
                .isThrownBy(() -> tasks.execute(() -> done.add("refused")))
                .withMessageContaining(why);
    }

    @Test
    void anEndGetsInWhateverWaits() {
        for (int i = 0; i < LoopTasks.MAX; i++) {
            tasks.execute(() -> {});
        }
        assertRefused("io.holdfast.authority.tasks");
        for (int i = 0; i < LoopTasks.MAX; i++) {
            tasks.end(() -> done.add("end"));
        }
        turn();
        assertThat(done).hasSize(LoopTasks.MAX).containsOnly("end");
        tasks.execute(() -> done.add("there is room again"));
        turn();
        assertThat(done).contains("there is room again");
    }

    @Test
    void tasksRunInOrderAndWhatTheyAddComesLater() {
        tasks.execute(() -> {
            done.add("first");
            tasks.end(() -> done.add("third"));
        });
        tasks.end(() -> done.add("second"));
        turn();
        assertThat(done).containsExactly("first", "second");
        turn();
        assertThat(done).containsExactly("first", "second", "third");
    }

    @Test
    void aTaskThatFailsHarmsNoOther() {
        tasks.execute(() -> {
            throw new IllegalStateException("meant");
        });
        tasks.execute(() -> done.add("next"));
        turn();
        assertThat(done).containsExactly("next");
    }

    @Test
    void whatWaitsAtTheCloseIsDoneAndNothingMore() {
        tasks.execute(() -> done.add("waited"));
        tasks.close();
        tasks.end(() -> done.add("too late"));
        assertRefused("has ended");
        assertThat(done).containsExactly("waited");
    }
}
