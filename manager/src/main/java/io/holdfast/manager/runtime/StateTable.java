package io.holdfast.manager.runtime;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The table of the state transitions that a kind of unit allows.
 *
 * <p>A transition that is not in the table is a fault of the manager. Where assertions are enabled
 * {@link #check} throws, so that tests find it; otherwise the transition is logged once and
 * allowed, since a unit in an unexpected state is better than one that no longer follows its
 * processes.
 *
 * <p>Safe for use by several threads: a table does not change once it is built. A builder is owned
 * by one thread.
 *
 * @param <S> the states
 */
public final class StateTable<S extends Enum<S>> {
    private static final boolean STRICT = StateTable.class.desiredAssertionStatus();

    private final Map<S, Set<S>> next;
    private final Set<String> logged = new HashSet<>();

    private StateTable(Map<S, Set<S>> next) {
        this.next = next;
    }

    public static <S extends Enum<S>> Builder<S> of(Class<S> states) {
        return new Builder<>(states);
    }

    /** Collects the rows of a table. */
    public static final class Builder<S extends Enum<S>> {
        private final Map<S, Set<S>> next;
        private final Class<S> states;

        private Builder(Class<S> states) {
            this.states = states;
            this.next = new EnumMap<>(states);
        }

        /** Adds a row: the states that may follow this one. */
        public Builder<S> from(S state, Set<S> followers) {
            next.computeIfAbsent(state, _ -> EnumSet.noneOf(states)).addAll(followers);
            return this;
        }

        public StateTable<S> build() {
            return new StateTable<>(next);
        }
    }

    /** Returns the states that may follow a state. */
    public Set<S> after(S state) {
        return Set.copyOf(next.getOrDefault(state, Set.of()));
    }

    /**
     * Checks a transition.
     *
     * @param log receives a line about a transition that is not in the table
     * @throws IllegalStateException if the transition is not in the table and assertions are
     *     enabled
     */
    public void check(S from, S to, Consumer<String> log) {
        if (after(from).contains(to)) {
            return;
        }
        String text = "unexpected change of state from " + from + " to " + to;
        if (STRICT) {
            throw new IllegalStateException(text);
        }
        synchronized (logged) { // one table serves all units of all managers
            if (!logged.add(text)) {
                return;
            }
        }
        log.accept(text);
    }
}
