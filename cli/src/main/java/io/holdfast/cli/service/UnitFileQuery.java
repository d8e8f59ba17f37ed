package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.install.Presets;
import io.holdfast.manager.unit.install.UnitFileStates;
import io.holdfast.manager.unit.install.UnitFileStates.State;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.Glob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code is-enabled}, {@code list-unit-files}, {@code get-default} and {@code cat}: prints what the
 * unit files say, as systemctl(1) does, with or without a running manager.
 */
public final class UnitFileQuery implements Command {
    /** The states for which {@code is-enabled} succeeds. */
    private static final Set<State> ENABLED =
            EnumSet.of(
                    State.ENABLED,
                    State.ENABLED_RUNTIME,
                    State.STATIC,
                    State.ALIAS,
                    State.INDIRECT,
                    State.GENERATED);

    private static final Set<State> WITHOUT_PRESET =
            EnumSet.of(State.ALIAS, State.STATIC, State.GENERATED, State.TRANSIENT);
    private static final int NOT_FOUND = 4; // as systemctl

    private enum Question {
        DEFAULT("get-default", "0", "Print the target that a boot starts."),
        IS_ENABLED("is-enabled", "1..*", "Print whether units are enabled."),
        LIST("list-unit-files", "0..*", "List unit files, and whether they are enabled."),
        CAT("cat", "1..*", "Print the files of units: the unit file and its drop-ins.");

        private final String verb;
        private final String arity;
        private final String header;

        Question(String verb, String arity, String header) {
            this.verb = verb;
            this.arity = arity;
            this.header = header;
        }
    }

    private final Question question;

    private UnitFileQuery(Question question) {
        this.question = question;
    }

    public static UnitFileQuery defaultTarget() {
        return new UnitFileQuery(Question.DEFAULT);
    }

    public static UnitFileQuery isEnabled() {
        return new UnitFileQuery(Question.IS_ENABLED);
    }

    public static UnitFileQuery list() {
        return new UnitFileQuery(Question.LIST);
    }

    public static UnitFileQuery cat() {
        return new UnitFileQuery(Question.CAT);
    }

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, question.header)
                .description("%n" + description() + " Needs no manager.%n")
                .footer("%nExamples:", "  holdfast " + question.verb + example())
                .with(UnitFileSet::addOptions)
                .with(this::addUnits)
                .spec();
    }

    private void addUnits(Grammar grammar) {
        if (question != Question.DEFAULT) {
            grammar.any(
                    PositionalParamSpec.builder()
                            .paramLabel("UNIT")
                            .arity(question.arity)
                            .type(List.class)
                            .auxiliaryTypes(String.class)
                            .description(
                                    question == Question.LIST
                                            ? "Units or patterns; none for all."
                                            : "Units."));
        }
    }

    private String description() {
        return switch (question) {
            case DEFAULT -> "It is what the link default.target leads to.";
            case IS_ENABLED ->
                    "One word for each, as systemctl is-enabled prints it. The exit status is 0 if"
                            + " one of them is enabled or needs not be, 4 if there is no such unit,"
                            + " else 1.";
            case LIST -> "The last column is what the preset files say.";
            case CAT -> "The files are those on disk; a manager may have loaded older ones.";
        };
    }

    private String example() {
        return switch (question) {
            case DEFAULT -> "";
            case LIST -> " '*.socket'";
            case IS_ENABLED, CAT -> " nginx.service";
        };
    }

    @Override
    public int run(ParseResult line, Output output) throws IOException {
        UnitFileSet set = UnitFileSet.of(line);
        List<String> words = line.matchedPositionalValue(0, List.of());
        if (words.isEmpty() && question.arity.startsWith("1")) {
            throw Command.misuse(line, "missing required parameter: 'UNIT'");
        }
        return switch (question) {
            case DEFAULT -> {
                output.line(
                        set.installer()
                                .defaultTarget()
                                .orElseThrow(() ->
                                        new CommandException(
                                                "default.target: there is no such unit; choose one"
                                                        + " with: holdfast set-default TARGET")));
                yield ExitCode.OK;
            }
            case IS_ENABLED -> areEnabled(set, words, output);
            case LIST -> list(set, words, output);
            case CAT -> cat(set, words, output);
        };
    }

    private static int areEnabled(UnitFileSet set, List<String> words, Output output) {
        UnitLoader loader = UnitLoader.scan(set.path());
        UnitFileStates states = UnitFileStates.read(set.folders());
        UnitReader reader = set.reader();
        int code = ExitCode.FAILURE;
        for (String word : words) {
            UnitName name = UnitName.of(set.named(word));
            State state = states.of(name, reader.read(loader.load(name)));
            output.line(state.word());
            if (ENABLED.contains(state)) {
                code = ExitCode.OK;
            } else if (state == State.NOT_FOUND && code != ExitCode.OK) {
                code = NOT_FOUND;
            }
        }
        return code;
    }

    private static int list(UnitFileSet set, List<String> words, Output output) {
        UnitLoader loader = UnitLoader.scan(set.path());
        UnitFileStates states = UnitFileStates.read(set.folders());
        Presets presets = Presets.read(set.folders().presets());
        UnitReader reader = set.reader();
        List<UnitName> names =
                loader.names().stream()
                        .filter(name ->
                                words.isEmpty()
                                        || words.stream()
                                                .anyMatch(word -> matches(word, name, set)))
                        .toList();
        int width = names.stream().mapToInt(name -> name.text().length()).max().orElse(0);
        for (UnitName name : names) {
            State state = states.of(name, reader.read(loader.load(name)));
            output.line(
                    padded(name.text(), width + 1),
                    padded((state == State.NOT_FOUND ? State.BAD : state).word(), 16),
                    WITHOUT_PRESET.contains(state) ? "-" : presets.word(name));
        }
        return ExitCode.OK;
    }

    private static boolean matches(String word, UnitName name, UnitFileSet set) {
        return UnitPatterns.isPattern(word)
                ? Glob.matches(word, name.text())
                : set.named(word).equals(name.text());
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }

    private static int cat(UnitFileSet set, List<String> words, Output output) throws IOException {
        UnitLoader loader = UnitLoader.scan(set.path());
        boolean isFirst = true;
        for (String word : words) {
            UnitSource source = set.find(loader, word);
            if (source.state() == UnitSource.State.MASKED) {
                output.warn(source.name() + ": masked by " + source.fragment().orElseThrow());
                continue;
            }
            List<Path> files = new ArrayList<>(source.fragment().stream().toList());
            files.addAll(source.dropIns());
            for (Path file : files) {
                if (!isFirst) {
                    output.line("");
                }
                isFirst = false;
                output.line(output.faint("# " + file));
                for (String each : Files.readAllLines(file)) {
                    output.line(each);
                }
            }
        }
        return ExitCode.OK;
    }
}
