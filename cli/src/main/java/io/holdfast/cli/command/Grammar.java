package io.holdfast.cli.command;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.util.List;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The grammar of a command and its help, in the order of the help. Each method adds one part and
 * returns this.
 */
public final class Grammar {
    private final CommandSpec spec;
    private int arguments;

    private Grammar(CommandSpec spec) {
        this.spec = spec;
    }

    /**
     * Begins the grammar of a command.
     *
     * @param header one sentence, which the list of all commands shows, too
     */
    public static Grammar of(Command command, String header) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(command);
        spec.usageMessage().header(header);
        return new Grammar(spec);
    }

    @CanIgnoreReturnValue
    public Grammar description(String text) {
        spec.usageMessage().description(text);
        return this;
    }

    @CanIgnoreReturnValue
    public Grammar footer(String... lines) {
        spec.usageMessage().footer(lines);
        return this;
    }

    /** Adds an option without a value. */
    @CanIgnoreReturnValue
    public Grammar flag(String form, String text) {
        return option(of(form, text).type(boolean.class));
    }

    /** Adds the option {@code --json}. */
    @CanIgnoreReturnValue
    public Grammar json(String text) {
        return flag("--json", text);
    }

    /**
     * Adds an option whose value the command parses.
     *
     * @param form as in the help: one or more names, and the label of the value, such as {@code -s
     *     --signal SIGNAL}
     */
    @CanIgnoreReturnValue
    public Grammar option(String form, String text) {
        return option(form, String.class, text);
    }

    /** Adds an option with a value of this type. */
    @CanIgnoreReturnValue
    public Grammar option(String form, Class<?> type, String text) {
        return option(of(form, text).type(type));
    }

    /** Adds an option whose value completion finds among these. */
    @CanIgnoreReturnValue
    public Grammar option(String form, List<String> values, String text) {
        return option(of(form, text).type(String.class).completionCandidates(values));
    }

    /** Adds an option that has the fallback as its value if it is given without one. */
    @CanIgnoreReturnValue
    public Grammar optionalValue(String form, String fallback, String text) {
        return option(of(form, text).arity("0..1").fallbackValue(fallback).type(String.class));
    }

    /** Adds an option that may be given several times; its value is a list. */
    @CanIgnoreReturnValue
    public Grammar options(String form, Class<?> type, String text) {
        return option(of(form, text).type(List.class).auxiliaryTypes(type));
    }

    private static OptionSpec.Builder of(String form, String text) {
        List<String> words = List.of(form.split(" ", -1));
        String[] names = words.stream().filter(word -> word.startsWith("-")).toArray(String[]::new);
        OptionSpec.Builder option = OptionSpec.builder(names).description(text);
        return names.length == words.size() ? option : option.paramLabel(words.getLast());
    }

    /** Adds any other option. */
    @CanIgnoreReturnValue
    public Grammar option(OptionSpec.Builder option) {
        spec.addOption(option.build());
        return this;
    }

    /**
     * Adds a positional parameter.
     *
     * @param arity {@code 1}, or {@code 0..1} if it may be missing
     */
    @CanIgnoreReturnValue
    public Grammar argument(String label, String arity, String text) {
        return argument(argumentOf(label, arity, text).type(String.class));
    }

    /** Adds a positional parameter that completion finds among these values. */
    @CanIgnoreReturnValue
    public Grammar argument(String label, String arity, List<String> values, String text) {
        return argument(
                argumentOf(label, arity, text).type(String.class).completionCandidates(values));
    }

    @CanIgnoreReturnValue
    private Grammar argument(PositionalParamSpec.Builder argument) {
        return any(argument.index(Integer.toString(arguments++)));
    }

    /** Adds all remaining positional parameters; their value is a list. */
    @CanIgnoreReturnValue
    public Grammar arguments(String label, String arity, Class<?> type, String text) {
        return any(
                argumentOf(label, arity, text)
                        .index(arguments + "..*")
                        .type(List.class)
                        .auxiliaryTypes(type));
    }

    /** Adds any other positional parameter. */
    @CanIgnoreReturnValue
    public Grammar any(PositionalParamSpec.Builder argument) {
        spec.addPositional(argument.build());
        return this;
    }

    private static PositionalParamSpec.Builder argumentOf(String label, String arity, String text) {
        return PositionalParamSpec.builder()
                .paramLabel(label)
                .required(!arity.startsWith("0"))
                .arity(arity)
                .description(text);
    }

    /** Adds what several commands share. */
    @CanIgnoreReturnValue
    public Grammar with(Consumer<Grammar> shared) {
        shared.accept(this);
        return this;
    }

    /** Reads all words after the first argument as arguments, even those that begin with a dash. */
    @CanIgnoreReturnValue
    public Grammar stopAtArgument() {
        spec.parser().stopAtPositional(true);
        return this;
    }

    public CommandSpec spec() {
        return spec;
    }
}
