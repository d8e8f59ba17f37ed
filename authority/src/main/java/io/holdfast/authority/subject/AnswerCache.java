package io.holdfast.authority.subject;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A cache of answers. An answer is valid as long as the state that it depends on is unchanged, and
 * at most until its maximum age; the least recently used answers are evicted. Thread-safe; two
 * threads that need the same answer at once may both compute it.
 */
final class AnswerCache<K, V> {
    private final int capacity;
    private final long maxAge;
    private final Supplier<?> state;
    private final LongSupplier clock;

    @GuardedBy("this")
    private final Map<K, Answer<V>> answers;

    private record Answer<V>(V value, Object state, long time) {}

    /**
     * Makes an empty cache.
     *
     * @param capacity the maximum number of answers that are cached
     * @param state returns the state that answers depend on, equal as long as it is unchanged
     * @param clock in nanoseconds
     */
    AnswerCache(int capacity, Duration maxAge, Supplier<?> state, LongSupplier clock) {
        this.capacity = capacity;
        this.maxAge = maxAge.toNanos();
        this.state = state;
        this.clock = clock;
        this.answers = new LinkedHashMap<>(16, 0.75f, true);
    }

    /**
     * Returns the cached answer, or computes it.
     *
     * @param question computes the answer; its exceptions are not cached
     */
    V get(K key, Function<K, V> question) {
        Object now = state.get(); // first: a change during the question must invalidate its answer
        long time = clock.getAsLong();
        Answer<V> known = known(key);
        if (known != null && time - known.time < maxAge && known.state.equals(now)) {
            return known.value;
        }
        V value = question.apply(key);
        keep(key, new Answer<>(value, now, time));
        return value;
    }

    private synchronized @Nullable Answer<V> known(K key) {
        return answers.get(key);
    }

    private synchronized void keep(K key, Answer<V> answer) {
        answers.put(key, answer);
        if (answers.size() > capacity) {
            answers.remove(answers.keySet().iterator().next());
        }
    }
}
