package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * Prints the script with which a shell completes this command. The scripts contain no words: they
 * run {@link CompleteCommand} of the program on the command line, so that they fit every version of
 * it.
 */
final class CompletionCommand implements Command {
    private static final List<String> SHELLS = List.of("bash", "zsh", "fish");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Print the completion script for a shell.")
                .footer(
                        "%nExamples:",
                        "  source <(holdfast completion bash)",
                        "  holdfast completion bash > /usr/share/bash-completion/completions/holdfast",
                        "  holdfast completion zsh  > \"$${fpath[1]}/_holdfast\"",
                        "  holdfast completion fish > ~/.config/fish/completions/holdfast.fish")
                .argument("SHELL", "0..1", SHELLS, "One of: ${COMPLETION-CANDIDATES}.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        String shell = line.matchedPositionalValue(0, "");
        if (!SHELLS.contains(shell)) {
            throw Command.misuse(
                    line,
                    (shell.isEmpty() ? "missing SHELL" : "unknown shell '" + shell + "'")
                            + "; expected "
                            + String.join(", ", SHELLS));
        }
        output.printTrusted(script(shell));
        return ExitCode.OK;
    }

    private static String script(String shell) {
        try (InputStream in =
                Objects.requireNonNull(
                        CompletionCommand.class.getResourceAsStream("completion/" + shell))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
