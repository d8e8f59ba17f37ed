package io.holdfast.cli.command;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * A word that a shell offers for the word under the cursor.
 *
 * @param word the word that the shell inserts
 * @param description for shells that show descriptions; may be empty
 */
public record Candidate(String word, String description) {
    /** Short, because a user waits with a half-typed line. */
    static final Limit TIMEOUT =
            Limit.time(
                    "io.holdfast.cli.completionTimeout",
                    Duration.ofMillis(700),
                    "time that the completion of a shell waits for a daemon");

    /** Returns candidates without descriptions. */
    public static List<Candidate> of(List<String> words) {
        return words.stream().map(word -> new Candidate(word, "")).toList();
    }

    /**
     * Returns the candidates of a daemon, or none if it fails or does not answer within {@link
     * #TIMEOUT}. Completion reports no errors, because they would appear in the middle of the line
     * that the user is typing.
     */
    public static List<Candidate> query(Callable<List<Candidate>> question) {
        return ShortQuestion.start(TIMEOUT.duration(), question).answer().orElse(List.of());
    }
}
