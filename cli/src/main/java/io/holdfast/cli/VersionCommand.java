package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.Version;
import io.holdfast.cli.output.Output;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Prints the version, as {@code --version} does. */
final class VersionCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Print the version, the JDK and the kernel.")
                .footer("%nExamples:", "  holdfast version")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        output.line(Version.text());
        return ExitCode.OK;
    }
}
