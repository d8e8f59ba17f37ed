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
 * Answers that are kept for a while: as long as what they hang on stays as it is, but never longer
 * than their age, and of so many questions only. Safe for use by any thread; a question that two
 * ask at once may be put twice.
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
     * @param capacity of how many questions answers are kept: those asked last
     * @param state what the answers hang on; equal as long as that has not changed
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
     * The answer to a question.
     *
     * @param question put where there is none; what it throws is not kept
     */
    V get(K key, Function<K, V> question) {
        Object now = state.get(); // before the question: what changes while it is put counts
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

    synchronized int size() {
        return answers.size();
    }
}
