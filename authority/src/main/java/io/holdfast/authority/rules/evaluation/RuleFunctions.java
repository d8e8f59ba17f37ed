package io.holdfast.authority.rules.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Functions in the order in which files add them, found by the action that they are about. Filled
 * by one thread, then read by any.
 */
final class RuleFunctions {
    /**
     * A function at its place in the order.
     *
     * @param file the number of its file
     * @param number within the file
     */
    record Entry(int file, int number, RuleFunction function) {
        private static final Comparator<Entry> ORDER =
                Comparator.comparingInt(Entry::file).thenComparingInt(Entry::number);

        boolean isAbout(String action) {
            return function.guard().actions().map(known -> known.contains(action)).orElse(true);
        }
    }

    private final List<Entry> ofAny = new ArrayList<>();
    private final Map<String, List<Entry>> ofAction = new HashMap<>();
    private int size;

    void add(Entry entry) {
        size++;
        entry.function()
                .guard()
                .actions()
                .ifPresentOrElse(
                        actions -> actions.forEach(action -> known(action).add(entry)),
                        () -> ofAny.add(entry));
    }

    private List<Entry> known(String action) {
        return ofAction.computeIfAbsent(action, _ -> new ArrayList<>(1));
    }

    /**
     * Those about an action and a user, as {@link RuleGuard} knows, in their order.
     *
     * @param more functions of the evaluation's own world
     * @param user of the subject at each step, for scripts may change it; null if they have made
     *     something else of it than a text: then a function may be about anybody
     */
    Walk about(String action, List<Entry> more, Supplier<@Nullable String> user) {
        List<Entry> found = new ArrayList<>(ofAny);
        found.addAll(ofAction.getOrDefault(action, List.of()));
        more.stream().filter(entry -> entry.isAbout(action)).forEach(found::add);
        found.sort(Entry.ORDER);
        return new Walk(found, size + more.size() - found.size(), user);
    }

    /** Goes through the functions that are about an action and a user. By one thread at a time. */
    static final class Walk {
        private final List<Entry> functions;
        private final Supplier<@Nullable String> user;
        private int next;
        private int skipped;
        private @Nullable RuleFunction current;

        private Walk(List<Entry> functions, int skipped, Supplier<@Nullable String> user) {
            this.functions = functions;
            this.skipped = skipped;
            this.user = user;
        }

        /** How many are about other actions, or were skipped as they are about other users. */
        int skipped() {
            return skipped;
        }

        /** The function that it has come to; null before the first one, and behind the last. */
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
            current = take();
            while (current != null && current.guard().users().isPresent()) {
                if (!known) {
                    user = this.user.get();
                    known = true;
                }
                if (user == null || current.guard().users().get().contains(user)) {
                    break;
                }
                skipped++;
                current = take();
            }
        }

        private @Nullable RuleFunction take() {
            return next == functions.size() ? null : functions.get(next++).function();
        }
    }
}
