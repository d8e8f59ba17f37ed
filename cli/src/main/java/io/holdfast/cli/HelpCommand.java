package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Prints the help of the program or of one command, as {@code --help} does. */
final class HelpCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List the commands, or show the help of one command.")
                .footer("%nExamples:", "  holdfast help", "  holdfast help status")
                .argument(
                        "COMMAND",
                        "0..1",
                        Commands.names(),
                        "Show the help of this command (default: list all commands).")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        String name = line.matchedPositionalValue(0, null);
        if (name == null) {
            output.printTrusted(CommandTree.whole(output).getUsageMessage());
            return ExitCode.OK;
        }
        if (Commands.named(name).isEmpty()) {
            throw new CommandException(UnknownCommand.message(name), ExitCode.USAGE);
        }
        output.printTrusted(CommandTree.ofCommand(name, output).getUsageMessage());
        return ExitCode.OK;
    }
}
