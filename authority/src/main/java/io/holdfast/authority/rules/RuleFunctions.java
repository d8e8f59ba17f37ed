package io.holdfast.authority.rules;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Functions in the order in which they were added. Those that are about other actions than the one
 * in question cost a check nothing. For one thread at a time.
 */
final class RuleFunctions {
    private record Entry(int position, RuleFunction function) {}

    private final List<Entry> ofAny = new ArrayList<>();
    private final Map<String, List<Entry>> ofAction = new HashMap<>();
    private int size;

    void add(RuleFunction function) {
        Entry entry = new Entry(size++, function);
        function.actions()
                .ifPresentOrElse(
                        actions -> actions.forEach(action -> known(action).add(entry)),
                        () -> ofAny.add(entry));
    }

    private List<Entry> known(String action) {
        return ofAction.computeIfAbsent(action, _ -> new ArrayList<>(1));
    }

    int size() {
        return size;
    }

    Walk about(String action) {
        return new Walk(ofAny, ofAction.getOrDefault(action, List.of()));
    }

    /** Goes through the functions that are about an action. */
    static final class Walk {
        private final List<Entry> ofAny;
        private final List<Entry> ofAction;
        private int any;
        private int action;
        private @Nullable RuleFunction current;

        private Walk(List<Entry> ofAny, List<Entry> ofAction) {
            this.ofAny = ofAny;
            this.ofAction = ofAction;
            advance();
        }

        /** How many there are. */
        int length() {
            return ofAny.size() + ofAction.size();
        }

        /** Where it has come to; null behind the last one. */
        @Nullable RuleFunction current() {
            return current;
        }

        void advance() {
            boolean isAny =
                    any < ofAny.size()
                            && (action == ofAction.size()
                                    || ofAny.get(any).position() < ofAction.get(action).position());
            if (isAny) {
                current = ofAny.get(any++).function();
            } else {
                current = action < ofAction.size() ? ofAction.get(action++).function() : null;
            }
        }
    }
}
