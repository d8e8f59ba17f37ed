package io.holdfast.cli;

import io.holdfast.cli.command.Candidate;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * Prints the candidates for the last word of an unfinished command line, for the completion scripts
 * of shells. Each line has one candidate and, after a tab, its description. A line that begins with
 * a blank stands for file names. Prints nothing if there is no candidate, and never an error.
 */
final class CompleteCommand implements Command {
    /** The line that stands for all file names. */
    static final String FILES = " files";

    /** The line that stands for the names of folders. */
    static final String FOLDERS = " folders";

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List the candidates that complete a command line (for shells).")
                .footer("%nExamples:", "  holdfast complete -- status red")
                .arguments(
                        "WORD",
                        "0..*",
                        String.class,
                        "The words after holdfast; the last one is unfinished.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> words = line.matchedPositionalValue(0, List.of());
        StringBuilder lines = new StringBuilder();
        for (Candidate each : Completion.of(words.isEmpty() ? List.of("") : words, output)) {
            lines.append(output.rendered(each.word()));
            if (!each.description().isEmpty()) {
                lines.append('\t').append(output.rendered(each.description()));
            }
            lines.append('\n');
        }
        output.printTrusted(lines.toString());
        return ExitCode.OK;
    }
}
