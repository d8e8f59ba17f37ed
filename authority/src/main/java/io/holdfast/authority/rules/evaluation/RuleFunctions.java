package io.holdfast.authority.rules.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The functions that files add, in their order, indexed by the actions that they concern. One
 * thread fills it; then any thread may read it.
 */
final class RuleFunctions {
    /**
     * A function with its position in the order.
     *
     * @param file the number of its file
     * @param number its number within the file
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
     * Finds the functions that may concern an action and a user, according to their {@link
     * RuleGuard}, in their order.
     *
     * @param more functions of the evaluation's own realm
     * @param user returns the subject's user at each step, as scripts may change it; null if they
     *     have replaced it by something else than a text: then a function may concern any user
     */
    Walk about(String action, List<Entry> more, Supplier<@Nullable String> user) {
        List<Entry> found = new ArrayList<>(ofAny);
        found.addAll(ofAction.getOrDefault(action, List.of()));
        more.stream().filter(entry -> entry.isAbout(action)).forEach(found::add);
        found.sort(Entry.ORDER);
        return new Walk(found, size + more.size() - found.size(), user);
    }

    /** An iteration over the functions that concern an action and a user. One thread at a time. */
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

        /** Returns how many functions were skipped: those about other actions or other users. */
        int skipped() {
            return skipped;
        }

        /** Returns the present function; null before the first one and after the last. */
        @Nullable RuleFunction current() {
            return current;
        }

        /**
         * Moves to the next function. The lookup of the user may take long or fail; if so, that
         * counts for the function at which it happens, which would have read the user first.
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
