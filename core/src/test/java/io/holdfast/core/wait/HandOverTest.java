package io.holdfast.core.wait;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The test's thread acts as the poller's thread. */
@SameOnEveryKernel
@Timeout(60)
class HandOverTest {
    private static final int TASKS = 256;

    private final HandOver handOver = new HandOver();

    @BeforeEach
    void beThePoller() {
        handOver.batchesOf(Thread.currentThread());
    }

    @Test
    void eachTaskOfABatchRunsOnceAndOnAVirtualThread() throws InterruptedException {
        for (int size = 1; size <= TASKS; size++) {
            AtomicIntegerArray runs = new AtomicIntegerArray(size);
            CountDownLatch done = new CountDownLatch(size);
            for (int i = 0; i < size; i++) {
                int task = i;
                handOver.execute(() -> {
                    if (Thread.currentThread().isVirtual()) {
                        int _ = runs.incrementAndGet(task);
                    }
                    done.countDown();
                });
            }
            handOver.endBatch();
            done.await();
            for (int i = 0; i < size; i++) {
                assertThat(runs.get(i)).isEqualTo(1);
            }
        }
    }

    @Test
    void tasksThatBlockKeepNoOtherOfTheirBatchWaiting() throws InterruptedException {
        CountDownLatch last = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(TASKS - 1);
        for (int i = 0; i < TASKS - 1; i++) {
            handOver.execute(() -> {
                awaitUninterrupted(last);
                done.countDown();
            });
        }
        handOver.execute(last::countDown);
        handOver.endBatch();
        done.await();
    }

    @Test
    void tasksThatFailTakeNoOtherOfTheirBatchWithThem() throws InterruptedException {
        Set<Throwable> caught =
                Collections.synchronizedSet(Collections.newSetFromMap(new IdentityHashMap<>()));
        CountDownLatch done = new CountDownLatch(TASKS);
        for (int i = 0; i < TASKS; i++) {
            handOver.execute(() -> {
                Thread.currentThread()
                        .setUncaughtExceptionHandler((_, e) -> {
                            boolean _ = caught.add(e);
                            done.countDown();
                        });
                throw new IllegalStateException("thrown on purpose by a test");
            });
        }
        handOver.endBatch();
        done.await();
        assertThat(caught).hasSize(TASKS);
    }

    @Test
    void anInterruptOfATaskIsNotOfTheNext() throws InterruptedException {
        AtomicInteger interrupted = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(TASKS);
        for (int i = 0; i < TASKS; i++) {
            handOver.execute(() -> {
                if (Thread.currentThread().isInterrupted()) {
                    int _ = interrupted.incrementAndGet();
                }
                Thread.currentThread().interrupt();
                done.countDown();
            });
        }
        handOver.endBatch();
        done.await();
        assertThat(interrupted.get()).isZero();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
