package io.holdfast.cli.log;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.up.UnitMessages;
import io.holdfast.journal.Boot;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * Which entries are wanted.
 *
 * @param units whose messages are wanted; empty for those of all
 * @param match of fields; null for all entries
 * @param pattern that the message contains
 */
record LogQuery(
        List<String> units,
        @Nullable Match match,
        Optional<Instant> since,
        Optional<Instant> until,
        Optional<Pattern> pattern) {
    private static final List<String> LEVELS =
            List.of("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug");

    /** Reads the options; asks the journal for the boots if one is named. */
    static LogQuery of(ParseResult line, JournalReader reader) throws IOException {
        List<Match> all = new ArrayList<>();
        List<String> names = line.matchedPositionalValue(0, List.of());
        List<String> units = names.stream().map(LogQuery::unit).toList();
        if (!units.isEmpty()) {
            all.add(Match.any(units.stream().map(UnitMessages::of).toList()));
        }
        if (line.hasMatchedOption("--priority")) {
            all.add(ofPriority(line, line.matchedOptionValue("--priority", "")));
        }
        if (line.hasMatchedOption("--boot")) {
            all.add(Match.field("_BOOT_ID", boot(line, reader).toString()));
        }
        if (line.hasMatchedOption("--invocation")) {
            all.add(UnitMessages.ofInvocation(line.matchedOptionValue("--invocation", "")));
        }
        if (line.hasMatchedOption("--identity")) {
            all.add(ofIdentity(line, line.matchedOptionValue("--identity", "")));
        }
        return new LogQuery(
                units,
                all.isEmpty() ? null : Match.all(all),
                time(line, "--since"),
                time(line, "--until"),
                pattern(line));
    }

    private static String unit(String name) {
        return name.indexOf('.') < 0 ? name + ".service" : name;
    }

    private static Match ofPriority(ParseResult line, String text) {
        int dots = text.indexOf("..");
        int low = dots < 0 ? 0 : level(line, text.substring(0, dots));
        int high = level(line, dots < 0 ? text : text.substring(dots + 2));
        List<Match> levels = new ArrayList<>();
        for (int level = Math.min(low, high); level <= Math.max(low, high); level++) {
            levels.add(Match.field("PRIORITY", Integer.toString(level)));
        }
        return Match.any(levels);
    }

    private static int level(ParseResult line, String text) {
        String word = text.toLowerCase(Locale.ROOT);
        int named =
                LEVELS.indexOf(
                        switch (word) {
                            case "error" -> "err";
                            case "warn" -> "warning";
                            case "panic" -> "emerg";
                            default -> word;
                        });
        if (named >= 0) {
            return named;
        }
        if (text.matches("[0-7]")) {
            return Integer.parseInt(text);
        }
        throw Command.misuse(
                line, "no priority: " + text + "; there are " + String.join(", ", LEVELS));
    }

    private static Match ofIdentity(ParseResult line, String text) {
        int colon = text.indexOf(':');
        if (!text.matches("[0-9]*:?[0-9]+")) {
            throw Command.misuse(line, "--identity: write PID:ID, as holdfast info prints it");
        }
        return Match.field("_PIDFD_ID", text.substring(colon + 1));
    }

    /** Finds a boot by its id, or by its place: 0 is this one, -1 the one before, 1 the first. */
    private static Id128 boot(ParseResult line, JournalReader reader) throws IOException {
        String text = line.matchedOptionValue("--boot", "");
        if (text.length() >= 32) {
            try {
                return Id128.parse(text);
            } catch (IllegalArgumentException e) {
                throw Command.misuse(line, "--boot: " + e.getMessage());
            }
        }
        if (!text.matches("[-+]?[0-9]{0,5}")) {
            throw Command.misuse(line, "--boot: write an id, or a number: 0 is this boot");
        }
        int place = text.isEmpty() ? 0 : Integer.parseInt(text);
        if (place == 0) {
            return Id128.boot();
        }
        List<Boot> boots = reader.boots();
        int index = place > 0 ? place - 1 : boots.size() - 1 + place;
        if (index < 0 || index >= boots.size()) {
            throw new CommandException(
                    "--boot: there are messages of " + boots.size() + " boots only");
        }
        return boots.get(index).id();
    }

    private static Optional<Instant> time(ParseResult line, String option) {
        if (!line.hasMatchedOption(option)) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    LogTime.parse(
                            line.matchedOptionValue(option, ""),
                            ZonedDateTime.now(ZoneId.systemDefault())));
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, option + ": " + e.getMessage());
        }
    }

    /** As in journalctl(1), a pattern without capital letters ignores case. */
    private static Optional<Pattern> pattern(ParseResult line) {
        if (!line.hasMatchedOption("--grep")) {
            return Optional.empty();
        }
        String text = line.matchedOptionValue("--grep", "");
        boolean hasCapitals = text.chars().anyMatch(Character::isUpperCase);
        try {
            return Optional.of(Pattern.compile(text, hasCapitals ? 0 : Pattern.CASE_INSENSITIVE));
        } catch (PatternSyntaxException e) {
            throw Command.misuse(line, "--grep: " + e.getDescription() + ": " + text);
        }
    }

    /** Returns whether the message of an entry is wanted; its fields and time were looked at. */
    boolean accepts(Entry entry) {
        return pattern.isEmpty()
                || entry.text("MESSAGE")
                        .filter(message -> pattern.get().matcher(message).find())
                        .isPresent();
    }
}
