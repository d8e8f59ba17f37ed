package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Memory for one call at a time. */
@Timeout(60)
@SameOnEveryKernel
class ScratchTest {
    private static final int THREADS = 256; // four threads per slot
    private static final int CALLS = 20_000;

    @Test
    void theMemoryBesideACallThatTakesLongIsKept() {
        Scratch held = Scratch.take();
        Scratch first = Scratch.take();
        first.release();
        Scratch second = Scratch.take();
        second.release();
        held.release();
        Scratch third = Scratch.take();
        third.release();
        assertThat(first).isNotSameAs(held);
        assertThat(second).isSameAs(first);
        assertThat(third).isSameAs(first);
    }

    @Test
    void noTwoThreadsHaveTheSame() throws Exception {
        Set<Scratch> inUse = ConcurrentHashMap.newKeySet();
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<Integer>> shared = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                shared.add(threads.submit(() -> callsWithMemoryOfOthers(inUse)));
            }
            for (Future<Integer> each : shared) {
                assertThat(each.get()).isZero();
            }
        }
        assertThat(inUse).isEmpty();
    }

    private static int callsWithMemoryOfOthers(Set<Scratch> inUse) {
        int shared = 0;
        for (int i = 0; i < CALLS; i++) {
            Scratch scratch = Scratch.take();
            shared += inUse.add(scratch) ? 0 : 1;
            boolean _ = inUse.remove(scratch);
            scratch.release();
        }
        return shared;
    }
}
