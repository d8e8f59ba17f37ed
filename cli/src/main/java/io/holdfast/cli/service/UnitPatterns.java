package io.holdfast.cli.service;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.manager.unit.value.Glob;
import io.holdfast.varlink.json.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import picocli.CommandLine.ParseResult;

/** The words of a command line that name units: names, and patterns that match loaded units. */
final class UnitPatterns {
    private UnitPatterns() {}

    /**
     * Returns the parameter of a command that takes such words.
     *
     * @param arity how many words there may be, in the form of picocli
     * @param otherwise what happens without a word; empty if there must be one
     */
    static Consumer<Grammar> parameter(String arity, String otherwise) {
        return grammar ->
                grammar.arguments(
                        "UNIT",
                        arity,
                        String.class,
                        "Unit names, or patterns that match the names of loaded units: * ? [a-z]."
                                + " .service is appended to a name without suffix"
                                + (otherwise.isEmpty() ? "." : " (default: " + otherwise + ")."));
    }

    /**
     * Returns the names of the units that the words name, each once. A pattern that matches no
     * loaded unit is reported.
     *
     * @throws CommandException if the line has words, and they name no unit
     */
    static List<String> names(ParseResult line, Output output) {
        List<String> words = line.matchedPositionalValue(0, List.of());
        if (words.stream().noneMatch(UnitPatterns::isPattern)) {
            return words;
        }
        Set<String> names = new LinkedHashSet<>();
        List<String> unmatched = new ArrayList<>();
        List<String> loaded = loaded(line);
        for (String word : words) {
            List<String> matching = isPattern(word) ? matching(word, loaded) : List.of(word);
            names.addAll(matching);
            if (matching.isEmpty()) {
                unmatched.add(word);
            }
        }
        if (names.isEmpty()) {
            throw new CommandException(noMatch(String.join(" ", unmatched)));
        }
        unmatched.forEach(word -> output.complain(noMatch(word)));
        return List.copyOf(names);
    }

    /** Returns the error for a pattern that matches nothing. */
    static String noMatch(String pattern) {
        return "no loaded unit matches " + pattern;
    }

    static List<String> loaded(ParseResult line) {
        return ManagerSocket.call(line, "List", JsonObject.EMPTY).objects("units").stream()
                .map(unit -> unit.string("name"))
                .sorted()
                .toList();
    }

    /** Returns the names that a pattern matches, with and without the suffix {@code .service}. */
    static List<String> matching(String pattern, List<String> names) {
        return names.stream()
                .filter(name ->
                        Glob.matches(pattern, name) || Glob.matches(pattern + ".service", name))
                .toList();
    }

    static boolean isPattern(String word) {
        return word.chars().anyMatch(c -> c == '*' || c == '?' || c == '[');
    }
}
