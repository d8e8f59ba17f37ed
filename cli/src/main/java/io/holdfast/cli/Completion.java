package io.holdfast.cli;

import io.holdfast.cli.bus.NameCandidates;
import io.holdfast.cli.command.BusArgument;
import io.holdfast.cli.command.Candidate;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.permission.ActionCandidates;
import io.holdfast.cli.service.UnitCandidates;
import io.holdfast.core.Signal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * Finds the candidates for the last word of an unfinished command line, by the command's grammar:
 * commands, options or values. The label of a value in the help determines its candidates ({@code
 * UNIT}, {@code SIGNAL}, …). The names of units, actions and bus names come from the daemon that
 * owns them.
 */
final class Completion {
    private static final Set<String> STARTING =
            Set.of(
                    "up",
                    "init",
                    "start",
                    "status",
                    "verify",
                    "enable",
                    "disable",
                    "reenable",
                    "preset",
                    "mask",
                    "unmask",
                    "revert",
                    "set-default",
                    "is-enabled",
                    "list-unit-files",
                    "cat",
                    "edit");
    private static final Set<String> LOOKING = Set.of("info", "who");
    private static final int SIGNALS = 31;

    private final String name;
    private final List<String> arguments;
    private final String current;
    private final Output output;

    /**
     * Prepares the completion of one command.
     *
     * @param name the name of the command
     * @param arguments the complete arguments of the command
     * @param current the incomplete word
     * @param output for the grammar's help
     */
    private Completion(String name, List<String> arguments, String current, Output output) {
        this.name = name;
        this.arguments = arguments;
        this.current = current;
        this.output = output;
    }

    /**
     * Returns the candidates for the last of these words.
     *
     * @param words the words after the name of the program, at least one
     */
    static List<Candidate> of(List<String> words, Output output) {
        String current = words.getLast();
        List<String> before = words.subList(0, words.size() - 1);
        int command = 0;
        while (command < before.size() && before.get(command).startsWith("-")) {
            command++;
        }
        if (command == before.size()) {
            CommandLine program = CommandTree.whole(output);
            return matching(
                    current,
                    current.startsWith("-")
                            ? options(program.getCommandSpec())
                            : commands(program));
        }
        String name = before.get(command);
        return Commands.names().contains(name)
                ? new Completion(name, before.subList(command + 1, before.size()), current, output)
                        .candidates()
                : List.of();
    }

    private static List<Candidate> commands(CommandLine program) {
        return program.getSubcommands().entrySet().stream()
                .map(each -> new Candidate(each.getKey(), header(each.getValue())))
                .toList();
    }

    private List<Candidate> candidates() {
        CommandSpec spec = grammar().getCommandSpec();
        boolean isOption = true; // whether words may still be options
        int values = 0; // the number of positional parameters so far
        OptionSpec open = null; // an option whose value comes next
        for (String word : arguments) {
            if (open != null) {
                open = null;
            } else if (isOption && word.equals("--")) {
                isOption = false;
            } else if (isOption && word.startsWith("-") && word.length() > 1) {
                open = takesValue(spec, word) ? spec.findOption(word) : null;
            } else {
                values++;
                isOption = isOption && !spec.parser().stopAtPositional();
            }
        }
        if (open != null) {
            return matching(current, values(open));
        }
        int equals = current.indexOf('=');
        if (isOption && current.startsWith("--") && equals > 0) {
            OptionSpec option = spec.findOption(current.substring(0, equals));
            return option == null
                    ? List.of()
                    : matching(
                            current, withPrefix(current.substring(0, equals + 1), values(option)));
        }
        if (isOption && current.startsWith("-")) {
            return matching(current, options(spec));
        }
        PositionalParamSpec positional = positional(spec, values);
        return positional == null ? List.of() : matching(current, values(positional));
    }

    private static List<Candidate> withPrefix(String prefix, List<Candidate> values) {
        return values.stream()
                .map(each ->
                        isOfFiles(each)
                                ? each
                                : new Candidate(prefix + each.word(), each.description()))
                .toList();
    }

    private static boolean takesValue(CommandSpec spec, String word) {
        OptionSpec option = spec.findOption(word);
        return option != null && option.arity().max() > 0;
    }

    private static @Nullable PositionalParamSpec positional(CommandSpec spec, int index) {
        return spec.positionalParameters().stream()
                .filter(each -> each.index().contains(index))
                .findFirst()
                .orElse(null);
    }

    private List<Candidate> values(ArgSpec argument) {
        if (argument.completionCandidates() != null) {
            List<String> words = new ArrayList<>();
            argument.completionCandidates().forEach(words::add);
            return Candidate.of(words);
        }
        List<Candidate> values = new ArrayList<>();
        for (String label : argument.paramLabel().split("[|]")) {
            values.addAll(values(label));
        }
        return values;
    }

    private List<Candidate> values(String label) {
        return switch (label) {
            case "UNIT" ->
                    LOOKING.contains(name) && !line().hasMatchedOption("--tree")
                            ? List.of()
                            : STARTING.contains(name)
                                    ? UnitCandidates.startable(line())
                                    : UnitCandidates.loaded(line());
            case "ACTION" -> ActionCandidates.of(line());
            case "NAME" ->
                    name.equals("check") || line().hasMatchedOption("--bus")
                            ? NameCandidates.of(line())
                            : List.of();
            case "ADDRESS" ->
                    LOOKING.contains(name)
                            ? Candidate.of(List.of(BusArgument.SYSTEM, BusArgument.SESSION))
                            : List.of();
            case "SIGNAL" -> signals();
            case "SOCKET" ->
                    line().hasMatchedOption("--bus") || line().hasMatchedOption("--tree")
                            ? List.of()
                            : Candidate.of(List.of(CompleteCommand.FILES));
            case "FILE", "PATH", "COMMAND" -> Candidate.of(List.of(CompleteCommand.FILES));
            case "DIR" -> Candidate.of(List.of(CompleteCommand.FOLDERS));
            default -> List.of();
        };
    }

    private static List<Candidate> signals() {
        return IntStream.rangeClosed(1, SIGNALS)
                .mapToObj(number -> new Signal(number).name())
                .map(signal -> new Candidate(signal, ""))
                .toList();
    }

    private CommandLine grammar() {
        return CommandTree.ofCommand(name, output);
    }

    /**
     * Parses the words before the current one. Errors are collected, not thrown, because the line
     * need not be complete.
     */
    private ParseResult line() {
        CommandLine program = CommandTree.forLine(List.of(name), output);
        program.getCommandSpec().parser().collectErrors(true);
        program.getSubcommands()
                .values()
                .forEach(each -> each.getCommandSpec().parser().collectErrors(true));
        List<String> words = new ArrayList<>(arguments);
        words.addFirst(name);
        return program.parseArgs(words.toArray(String[]::new)).subcommand();
    }

    private static List<Candidate> options(CommandSpec spec) {
        return spec.options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option ->
                        Arrays.stream(option.names())
                                .filter(each -> each.startsWith("--"))
                                .map(each ->
                                        new Candidate(
                                                each, String.join(" ", option.description()))))
                .toList();
    }

    private static String header(CommandLine command) {
        return String.join(" ", command.getCommandSpec().usageMessage().header());
    }

    private static boolean isOfFiles(Candidate candidate) {
        return candidate.word().startsWith(" ");
    }

    private static List<Candidate> matching(String current, List<Candidate> candidates) {
        return candidates.stream()
                .filter(each -> isOfFiles(each) || each.word().startsWith(current))
                .toList();
    }
}
