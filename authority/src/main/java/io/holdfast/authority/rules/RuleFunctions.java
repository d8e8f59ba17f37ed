package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;

/**
 * Functions in the order in which they were added. Those that are about other actions than the one
 * in question cost a check nothing, those about other users nearly so. For one thread at a time.
 */
final class RuleFunctions {
    private record Entry(int position, RuleFunction function) {}

    private final List<Entry> ofAny = new ArrayList<>();
    private final Map<String, List<Entry>> ofAction = new HashMap<>();
    private int size;

    /** The text read last: a loop adds the same one many times. */
    private String source = "";

    private RuleGuard guardOfSource = RuleGuard.NONE;

    void add(Place place, Function function) {
        RuleGuard guard =
                function instanceof JSFunction script
                        ? guard(script.getRawSource())
                        : RuleGuard.NONE;
        Entry entry = new Entry(size++, new RuleFunction(place, function, guard));
        guard.actions()
                .ifPresentOrElse(
                        actions -> actions.forEach(action -> known(action).add(entry)),
                        () -> ofAny.add(entry));
    }

    private RuleGuard guard(@Nullable String text) {
        if (text == null) {
            return RuleGuard.NONE;
        }
        if (!text.equals(source)) {
            source = text;
            guardOfSource = RuleGuard.of(text);
        }
        return guardOfSource;
    }

    private List<Entry> known(String action) {
        return ofAction.computeIfAbsent(action, _ -> new ArrayList<>(1));
    }

    int size() {
        return size;
    }

    /**
     * Those about an action and a user, as {@link RuleGuard} tells.
     *
     * @param user who that is at each step, as scripts may change it; null if they have made
     *     something else of it than a text: then a function may be about anybody
     */
    Walk about(String action, Supplier<@Nullable String> user) {
        return new Walk(ofAny, ofAction.getOrDefault(action, List.of()), size, user);
    }

    /** Goes through the functions that are about an action and a user. */
    static final class Walk {
        private final List<Entry> ofAny;
        private final List<Entry> ofAction;
        private final Supplier<@Nullable String> user;
        private int any;
        private int action;
        private int passedOver;
        private @Nullable RuleFunction current;

        private Walk(
                List<Entry> ofAny, List<Entry> ofAction, int all, Supplier<@Nullable String> user) {
            this.ofAny = ofAny;
            this.ofAction = ofAction;
            this.user = user;
            this.passedOver = all - ofAny.size() - ofAction.size();
        }

        /** How many are about other actions, or were passed by as they are about other users. */
        int passedOver() {
            return passedOver;
        }

        /** Where it has come to; null before the first one, and behind the last. */
        @Nullable RuleFunction current() {
            return current;
        }

        /**
         * Goes to the next one. To find the user may take long, or fail: that is then the affair of
         * the function that it has come to, which would ask for the user first.
         */
        void advance() {
            @Nullable String user = null;
            boolean known = false;
            current = next();
            while (current != null && current.guard().users().isPresent()) {
                if (!known) {
                    user = this.user.get();
                    known = true;
                }
                if (user == null || current.guard().users().get().contains(user)) {
                    break;
                }
                passedOver++;
                current = next();
            }
        }

        private @Nullable RuleFunction next() {
            boolean isAny =
                    any < ofAny.size()
                            && (action == ofAction.size()
                                    || ofAny.get(any).position() < ofAction.get(action).position());
            if (isAny) {
                return ofAny.get(any++).function();
            }
            return action < ofAction.size() ? ofAction.get(action++).function() : null;
        }
    }
}
