package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.Output;
import java.util.List;
import picocli.AutoComplete;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Prints the script that teaches a shell the words of this command. */
final class CompletionCommand implements Command {
    private static final List<String> SHELLS = List.of("bash", "zsh", "fish");

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Print the completion script for a shell.")
                .footer(
                        "%nExamples:",
                        "  source <(holdfast completion bash)",
                        "  holdfast completion bash > /usr/share/bash-completion/completions/holdfast",
                        "  holdfast completion zsh  > \"$${fpath[1]}/_holdfast\"",
                        "  holdfast completion fish > ~/.config/fish/completions/holdfast.fish");
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("SHELL")
                        .required(true)
                        .arity("1")
                        .type(String.class)
                        .completionCandidates(SHELLS)
                        .description("One of: ${COMPLETION-CANDIDATES}.")
                        .build());
    }

    @Override
    public int run(ParseResult line, Output output) {
        String shell = line.matchedPositionalValue(0, "");
        if (!SHELLS.contains(shell)) {
            throw new ParameterException(
                    line.commandSpec().commandLine(),
                    "No completion for '" + shell + "', only for " + SHELLS);
        }
        if (shell.equals("fish")) {
            output.own(FishCompletion.of(CommandTree.whole(output)));
            return ExitCode.OK;
        }
        if (shell.equals("zsh")) {
            output.line("#compdef holdfast");
            output.line("autoload -U +X compinit bashcompinit && compinit && bashcompinit");
        }
        output.own(AutoComplete.bash("holdfast", CommandTree.whole(output)));
        return ExitCode.OK;
    }
}
