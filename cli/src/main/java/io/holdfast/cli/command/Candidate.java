package io.holdfast.cli.command;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * A word that a shell offers for the word under the cursor.
 *
 * @param word what is inserted
 * @param description what it is, for shells that show that; may be empty
 */
public record Candidate(String word, String description) {
    /** A person waits with a line half typed. */
    static final Limit PATIENCE =
            Limit.time(
                    "io.holdfast.cli.completionPatience",
                    Duration.ofMillis(700),
                    "time that the completion of a shell waits for a daemon");

    /** The words, without descriptions. */
    public static List<Candidate> of(List<String> words) {
        return words.stream().map(word -> new Candidate(word, "")).toList();
    }

    /**
     * What a daemon offers, if it does so soon. Completion never fails, because its message would
     * appear in the middle of the line that somebody types.
     */
    public static List<Candidate> ask(Callable<List<Candidate>> question) {
        return ShortQuestion.ask(PATIENCE.duration(), question).answer().orElse(List.of());
    }
}
