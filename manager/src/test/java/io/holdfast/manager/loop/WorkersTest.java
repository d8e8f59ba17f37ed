package io.holdfast.manager.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests workers; work that hangs here waits in open(2) for the other end of a FIFO. */
@Timeout(60)
class WorkersTest {
    private static final Duration SHORT = Duration.ofMillis(50);

    @TempDir private Path folder;
    private final EventLoop loop = EventLoop.open();
    private final List<String> said = Collections.synchronizedList(new ArrayList<>());
    private final Workers workers = new Workers(loop, said::add);
    private String fifo = "";

    @BeforeEach
    void makeFifo() throws Exception {
        fifo = folder.resolve("fifo").toString();
        try (Directory directory = Directory.open(folder.toString())) {
            assertThat(directory.makeFifo("fifo", 0600)).isTrue();
        }
    }

    @AfterEach
    void close() {
        try (Fd _ = letGo()) { // also for work that has not called open(2) yet
            workers.close();
        }
        loop.close();
    }

    /** Blocks in the kernel until {@link #letGo}. */
    private Fd hang() {
        return Fcntl.open(fifo, Fcntl.O_RDONLY);
    }

    private Fd letGo() {
        return Fcntl.open(fifo, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
    }

    private void turnUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            int _ = loop.step(Duration.ofMillis(20));
        }
    }

    @Test
    void ownersOfLanesTakeTurns() {
        CountDownLatch oneMayEnd = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        int threads = ManagerLimits.WORKERS.intValue();
        for (int i = 0; i < threads; i++) { // so that a single thread does the rest, in its order
            CountDownLatch end = i == 0 ? oneMayEnd : mayEnd;
            Work<?> _ =
                    workers.ownLane("busy").work("a wait", () -> letEnd(end)).begin((_, _) -> {});
        }
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < 100; i++) {
            order(workers.ownLane("one of many", 1000L), "many", order);
        }
        order(workers.ownLane("one", 0L), "one", order);
        oneMayEnd.countDown();
        turnUntil(() -> order.size() == 101);
        mayEnd.countDown();
        assertThat(order.indexOf("one")).isLessThanOrEqualTo(1);
    }

    private static boolean letEnd(CountDownLatch latch) throws InterruptedException {
        latch.await();
        return true;
    }

    private static void order(Lane lane, String name, List<String> order) {
        Work<?> _ = lane.work("a note", () -> order.add(name)).begin((_, _) -> {});
    }

    @Test
    void workOfALaneIsDoneInOrderByOneThread() {
        Lane lane = workers.ownLane("a");
        List<Integer> done = new ArrayList<>();
        AtomicInteger at = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        for (int i = 0; i < 100; i++) {
            int number = i;
            lane.work(
                            "the count",
                            () -> {
                                int now = at.incrementAndGet();
                                int _ = most.accumulateAndGet(now, Math::max);
                                int _ = at.decrementAndGet();
                                return number;
                            })
                    .begin((value, _) -> done.add(value));
        }
        turnUntil(() -> done.size() == 100);
        assertThat(done).isSorted().doesNotHaveDuplicates();
        assertThat(most).hasValue(1);
    }

    @Test
    void whatHangsInOneLaneHoldsUpNoOther() {
        List<Work<Fd>> hanging = new ArrayList<>();
        for (int i = 0; i < 3 * ManagerLimits.WORKERS.intValue(); i++) {
            hanging.add(
                    workers.ownLane("hangs " + i)
                            .work("the opening", this::hang)
                            .releasing(Fd::close)
                            .begin((_, _) -> {}));
        }
        AtomicReference<String> answer = new AtomicReference<>();
        workers.ownLane("other")
                .work("the answer", () -> "yes")
                .begin((it, _) -> answer.set(String.valueOf(it)));
        turnUntil(() -> answer.get() != null);
        assertThat(answer).hasValue("yes");
        hanging.forEach(Work::cancel);
    }

    @Test
    void whoWaitsIsToldWhenItTakesTooLongAndWhatComesLaterIsReleased() {
        Lane lane = workers.ownLane("unit");
        List<String> failures = new ArrayList<>();
        CountDownLatch released = new CountDownLatch(1);
        Work<Fd> _ =
                lane.work("the opening", this::hang)
                        .releasing(fd -> {
                            fd.close();
                            released.countDown();
                        })
                        .within(SHORT)
                        .begin((_, failure) -> failures.add(String.valueOf(failure)));
        AtomicReference<String> next = new AtomicReference<>();
        Work<String> behind = lane.work("the next step", () -> "done").within(SHORT);
        behind.begin((_, failure) -> failures.add(String.valueOf(failure)));
        turnUntil(() -> failures.size() == 2);
        assertThat(failures.get(0))
                .containsPattern("the opening has not returned from the kernel for [0-9.]+ s");
        assertThat(failures.get(1))
                .contains(
                        "the next step has not begun: the opening has not returned from the kernel");
        assertThat(workers.hanging()).isEqualTo(1);
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("unit: the opening has not returned")
                .contains(
                        ManagerLimits.WORKER_THREADS.intValue()
                                + " worker threads, 1 of them blocked");

        lane.work("the step after it", () -> "after")
                .begin((it, _) -> next.set(String.valueOf(it)));
        letGo().close();
        turnUntil(() -> next.get() != null);
        assertThat(released.getCount()).as("released before anything else is done").isZero();
        turnUntil(() -> said.size() == 2);
        assertThat(said.get(1)).startsWith("unit: the opening has returned from the kernel after");
        assertThat(workers.hanging()).isZero();
    }

    @Test
    void aCleanUpIsDoneThoughNobodyWaitsForItAnyMore() {
        Lane lane = workers.ownLane("unit");
        lane.work("the opening", this::hang).releasing(Fd::close).within(SHORT).begin((_, _) -> {});
        AtomicInteger cleaned = new AtomicInteger();
        List<Exception> failures = new ArrayList<>();
        lane.work("the clean-up", cleaned::incrementAndGet)
                .evenIfLate()
                .within(SHORT)
                .begin((_, failure) -> {
                    if (failure != null) {
                        failures.add(failure);
                    }
                });
        turnUntil(() -> !failures.isEmpty());
        assertThat(failures.getFirst()).isInstanceOf(Work.LateException.class);
        assertThat(cleaned).hasValue(0);
        letGo().close();
        turnUntil(() -> cleaned.get() == 1);
    }

    @Test
    void workThatIsCalledOffIsNotBegunAndItsAnswerNotGiven() {
        Lane lane = workers.ownLane("unit");
        AtomicReference<String> first = new AtomicReference<>();
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger released = new AtomicInteger();
        CountDownLatch go = new CountDownLatch(1);
        lane.work(
                        "the wait",
                        () -> {
                            go.await();
                            return "first";
                        })
                .begin((it, _) -> first.set(String.valueOf(it)));
        Work<Integer> off = lane.work("the beginning", begun::incrementAndGet);
        off.begin((_, _) -> begun.set(100));
        off.cancel();
        go.countDown();
        turnUntil(() -> first.get() != null);
        Work<String> late =
                lane.work("the answer", () -> "late").releasing(_ -> released.incrementAndGet());
        late.begin((_, _) -> begun.set(100));
        Await.until(late::isDone);
        late.cancel(); // while its answer is on its way
        Await.until(() -> released.get() == 1);
        int _ = loop.step(SHORT);
        assertThat(begun).hasValue(0);
    }

    @Test
    void aLaneTakesOnlySoMuch() {
        Lane lane = workers.ownLane("unit");
        lane.work("the opening", this::hang).releasing(Fd::close).within(SHORT).begin((_, _) -> {});
        for (int i = 0; i < ManagerLimits.LANE.intValue(); i++) {
            lane.work("the question", () -> 1).begin((_, _) -> {});
        }
        AtomicReference<@Nullable Exception> refusal = new AtomicReference<>();
        AtomicInteger cancelled = new AtomicInteger();
        lane.work("the question", () -> 1)
                .ifNeverBegun(cancelled::incrementAndGet)
                .begin((_, failure) -> refusal.set(failure));
        assertThat(refusal).as("the answer comes on the loop").hasNullValue();
        int _ = loop.step(SHORT);
        assertThat(cancelled).hasValue(1);
        assertThat(refusal.get())
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessageContaining("unit: 1024 tasks wait already")
                .hasMessageContaining("io.holdfast.manager.lane")
                .hasMessageContaining("the opening has not returned from the kernel");
    }

    @Test
    void whatIsAskedByOneNameIsInOneLane() {
        CountDownLatch go = new CountDownLatch(1);
        Work<Boolean> first =
                workers.lane("x")
                        .work(
                                "the wait",
                                () -> {
                                    go.await();
                                    return true;
                                });
        first.begin((_, _) -> {});
        assertThat(workers.lane("x")).isSameAs(first.lane);
        assertThat(workers.lane("y")).isNotSameAs(first.lane);
        go.countDown();
        Await.until(() -> !first.lane.equals(workers.lane("x")));
    }

    @Test
    void theEndDoesNotWaitForWhatHangs() {
        EventLoop other = EventLoop.open();
        List<String> warnings = new ArrayList<>();
        Workers ending = new Workers(other, warnings::add);
        AtomicInteger done = new AtomicInteger();
        ending.ownLane("unit")
                .work("the opening", this::hang)
                .releasing(Fd::close)
                .begin((_, _) -> {})
                .cancel();
        ending.ownLane("other")
                .work("the clean-up", done::incrementAndGet)
                .begin((_, _) -> done.set(100));
        ending.close();
        assertThat(done).hasValue(1);
        assertThatThrownBy(() -> ending.ownLane("late").work("x", () -> 1).begin((_, _) -> {}))
                .isInstanceOf(RejectedExecutionException.class);
        assertThat(warnings).singleElement().asString().contains("unit: the opening");
        other.close();
    }

    @Test
    void workThatIsCalledOffBeforeItBeginsGivesBackWhatItWasGiven() {
        Lane lane = workers.ownLane("a");
        List<String> cancelled = new ArrayList<>();
        Work<Fd> first =
                lane.work("the hanging step", this::hang).releasing(Fd::close).begin((_, _) -> {});
        Work<Integer> behind =
                lane.work("the wait", () -> 1)
                        .ifNeverBegun(() -> cancelled.add("behind"))
                        .begin((_, _) -> {});
        Work<Integer> late =
                lane.work("the late step", () -> 1)
                        .ifNeverBegun(() -> cancelled.add("late"))
                        .within(SHORT)
                        .begin((_, _) -> {});
        behind.cancel();
        behind.cancel();
        turnUntil(() -> cancelled.size() == 2);
        assertThat(cancelled).containsExactly("behind", "late");
        late.cancel();
        first.cancel();
        assertThat(cancelled).hasSize(2);
    }

    @Test
    void workThatIsRefusedGivesBackWhatItWasGiven() {
        workers.close();
        List<String> cancelled = new ArrayList<>();
        assertThatThrownBy(() ->
                        workers.ownLane("a")
                                .work("nothing", () -> 1)
                                .ifNeverBegun(() -> cancelled.add("x"))
                                .begin((_, _) -> {}))
                .isInstanceOf(RejectedExecutionException.class);
        assertThat(cancelled).containsExactly("x");
    }

    @Test
    void aCleanUpBehindHangingWorkIsDoneAfterTheClose() {
        Lane lane = workers.ownLane("a");
        AtomicInteger cleaned = new AtomicInteger();
        AtomicInteger late = new AtomicInteger();
        Work<Fd> _ =
                lane.work("the hanging step", this::hang)
                        .releasing(Fd::close)
                        .within(SHORT)
                        .begin((_, _) -> late.incrementAndGet());
        Work<Integer> _ =
                lane.work("the clean-up", cleaned::incrementAndGet)
                        .evenIfLate()
                        .begin((_, _) -> {});
        turnUntil(() -> late.get() == 1);
        workers.close();
        assertThat(cleaned).hasValue(0);
        try (Fd _ = letGo()) {
            Await.until(() -> cleaned.get() == 1);
        }
    }
}
