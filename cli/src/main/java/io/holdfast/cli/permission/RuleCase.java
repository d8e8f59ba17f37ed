package io.holdfast.cli.permission;

import io.holdfast.authority.action.ImplicitAuthorization;
import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.DescribedSubject;
import io.holdfast.authority.rules.RuleAction;
import io.holdfast.cli.command.CommandException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A test case for rules: an action, a subject, and the expected result.
 *
 * @param place the file and line of the case; empty if it comes from the command line
 * @param described the subject as the user wrote it
 * @param expected a result of polkit(8), or {@link #NOTHING}
 */
record RuleCase(
        Optional<SourceLine> place,
        RuleAction action,
        String described,
        DescribedSubject subject,
        Optional<String> expected) {
    /** The result if no rule decides and the action is unknown. */
    static final String NOTHING = "nothing";

    /** The syntax of a case, for help and error messages. */
    static final String GRAMMAR = "EXPECTED ACTION SUBJECT [KEY=VALUE…]";

    /** The maximum size of a file of cases. */
    private static final long MAX_BYTES = 16L << 20;

    /**
     * Creates a case from its words.
     *
     * @throws IllegalArgumentException if the syntax is invalid; the message is for the user
     */
    static RuleCase of(
            Optional<SourceLine> place,
            String action,
            String subject,
            Map<String, String> details,
            Optional<String> expected) {
        expected.filter(word ->
                        !word.equals(NOTHING) && ImplicitAuthorization.ofWord(word).isEmpty())
                .ifPresent(word -> {
                    throw new IllegalArgumentException(
                            "not a result: '"
                                    + word
                                    + "'; expected no, yes, auth_self, auth_self_keep,"
                                    + " auth_admin, auth_admin_keep or "
                                    + NOTHING);
                });
        return new RuleCase(
                place,
                new RuleAction(action, details),
                subject,
                SubjectDescription.parse(subject),
                expected);
    }

    /**
     * Reads a file of cases, one per line.
     *
     * @throws CommandException if the file cannot be read or contains a syntax error; names the
     *     file and line
     */
    static List<RuleCase> read(Path file) {
        List<String> lines;
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new CommandException(file + ": longer than " + MAX_BYTES + " bytes");
            }
            lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        } catch (MalformedInputException e) {
            throw new CommandException(file + ": not UTF-8", e);
        } catch (IOException e) {
            throw new CommandException(
                    Files.isDirectory(file)
                            ? file + ": a folder, not a file of cases"
                            : "cannot read the cases: " + CommandException.reason(e),
                    e);
        }
        List<RuleCase> cases = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            SourceLine place = new SourceLine(file, i + 1);
            try {
                List<String> words = words(lines.get(i));
                if (!words.isEmpty()) {
                    cases.add(ofWords(place, words));
                }
            } catch (IllegalArgumentException e) {
                throw new CommandException(place + ": " + e.getMessage(), e);
            }
        }
        return cases;
    }

    private static RuleCase ofWords(SourceLine place, List<String> words) {
        if (words.size() < 3) {
            throw new IllegalArgumentException(
                    "only " + words.size() + " words; expected " + GRAMMAR);
        }
        return of(
                Optional.of(place),
                words.get(1),
                words.get(2),
                details(words.subList(3, words.size())),
                Optional.of(words.getFirst()));
    }

    /**
     * Parses details, which have the same form in files of cases and on the command line.
     *
     * @throws IllegalArgumentException if the syntax is invalid; the message is for the user
     */
    static Map<String, String> details(List<String> words) {
        Map<String, String> details = new LinkedHashMap<>();
        for (String word : words) {
            int equals = word.indexOf('=');
            if (equals <= 0) {
                throw new IllegalArgumentException("not KEY=VALUE: '" + word + "'");
            }
            details.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return details;
    }

    /**
     * Splits a line into words at blanks. Double quotes keep blanks within a word, and a word that
     * begins with # begins a comment.
     */
    private static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        boolean quoted = false;
        boolean begun = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"') {
                quoted = !quoted;
                begun = true;
            } else if (quoted || !(c == ' ' || c == '\t' || c == '\r' || (c == '#' && !begun))) {
                word.append(c);
                begun = true;
            } else {
                if (begun) {
                    words.add(word.toString());
                    word.setLength(0);
                    begun = false;
                }
                if (c == '#') {
                    return words;
                }
            }
        }
        if (quoted) {
            throw new IllegalArgumentException("unterminated quote");
        }
        if (begun) {
            words.add(word.toString());
        }
        return words;
    }

    /** Returns a one-line description of the case: place, action and subject. */
    String question() {
        return place.map(where -> where + ": ").orElse("") + action.id() + " for " + described;
    }
}
