package io.holdfast.authority;

import io.holdfast.authority.client.Decision;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Counts the answers, refusals and registered agents of an authority. Thread-safe. */
final class AuthorityCounts {
    private final Map<AuthorityMetrics.Answer, LongAdder> answers =
            adders(AuthorityMetrics.Answer.class);
    private final Map<AuthorityException.Kind, LongAdder> refusals =
            adders(AuthorityException.Kind.class);
    private final LongAdder agents = new LongAdder();

    /** Makes an adder for each constant. The map is never changed afterwards. */
    private static <K extends Enum<K>> Map<K, LongAdder> adders(Class<K> keys) {
        Map<K, LongAdder> adders = new EnumMap<>(keys);
        for (K key : keys.getEnumConstants()) {
            adders.put(key, new LongAdder());
        }
        return adders;
    }

    private static <K extends Enum<K>> void add(Map<K, LongAdder> adders, K key) {
        LongAdder adder = adders.get(key);
        if (adder != null) {
            adder.increment();
        }
    }

    private static <K extends Enum<K>> Map<K, Long> sums(Map<K, LongAdder> adders) {
        Map<K, Long> sums = new HashMap<>();
        adders.forEach((key, adder) -> sums.put(key, adder.sum()));
        return sums;
    }

    /** Counts a check that has ended; {@code decision} is null if it failed. */
    void checked(@Nullable Decision decision) {
        if (decision == null) {
            add(answers, AuthorityMetrics.Answer.ERROR);
        } else if (decision.isAuthorized()) {
            add(answers, AuthorityMetrics.Answer.YES);
        } else if (decision.isChallenge()) {
            add(answers, AuthorityMetrics.Answer.CHALLENGE);
        } else {
            add(answers, AuthorityMetrics.Answer.NO);
        }
    }

    void refused(AuthorityException.Kind kind) {
        add(refusals, kind);
    }

    void agentRegistered() {
        agents.increment();
    }

    Map<AuthorityMetrics.Answer, Long> answers() {
        return sums(answers);
    }

    Map<AuthorityException.Kind, Long> refusals() {
        return sums(refusals);
    }

    long agents() {
        return agents.sum();
    }
}
