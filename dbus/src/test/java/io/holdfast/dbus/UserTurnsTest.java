package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

/** The order of calls of several users on one executor. */
@SameOnEveryKernel
class UserTurnsTest {
    private final UserTurns turns = new UserTurns();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final List<String> ran = new ArrayList<>();

    private void call(Executor executor, String user, int number) {
        turns.execute(
                executor,
                user,
                () -> ran.add(user + number),
                _ -> ran.add(user + number + " is refused"));
    }

    private void runAll() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
        }
    }

    @Test
    void aUserWithManyCallsDelaysOthersByOne() {
        Executor executor = tasks::add;
        for (int i = 0; i < 100; i++) {
            call(executor, "a", i);
        }
        call(executor, "b", 0);
        call(executor, "b", 1);
        runAll();
        assertThat(ran).hasSize(102).startsWith("a0", "b0", "a1", "b1", "a2", "a3").endsWith("a99");
        call(executor, "c", 0);
        runAll();
        assertThat(ran).endsWith("c0");
    }

    @Test
    void otherTasksOfTheExecutorDoNotWaitForAllCalls() {
        Executor executor = tasks::add;
        for (int i = 0; i < 100; i++) {
            call(executor, "a", i);
        }
        tasks.add(() -> ran.add("other"));
        runAll();
        assertThat(ran.indexOf("other")).isBetween(1, 20);
    }

    @Test
    void callsThatTheExecutorRejectsAreRefused() {
        Executor full =
                _ -> {
                    throw new RejectedExecutionException("full");
                };
        call(full, "a", 0);
        call(full, "a", 1);
        assertThat(ran).containsExactly("a0 is refused", "a1 is refused");
    }

    @Test
    void aCallThatThrowsDoesNotStopTheOthers() {
        Executor executor = tasks::add;
        turns.execute(
                executor,
                "a",
                () -> {
                    throw new IllegalStateException("a call");
                },
                _ -> ran.add("refused"));
        call(executor, "a", 1);
        assertThatIllegalStateException().isThrownBy(this::runAll);
        runAll();
        assertThat(ran).containsExactly("a1");
    }
}
