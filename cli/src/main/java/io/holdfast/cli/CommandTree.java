package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.output.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Builds the grammar of the command line, and its help. */
final class CommandTree {
    private static final int HELP_WIDTH = 96;

    private CommandTree() {}

    /**
     * Returns the grammar for a command line: the root with the subcommand that the line names, or
     * with all subcommands if it names none.
     */
    static CommandLine forLine(List<String> arguments, Output output) {
        String word =
                arguments.stream()
                        .filter(argument -> !argument.startsWith("-"))
                        .findFirst()
                        .orElse("");
        return Commands.named(word)
                .map(command -> tree(List.of(new Named(word, command)), output))
                .orElseGet(() -> whole(output));
    }

    /** Returns the grammar of one subcommand. */
    static CommandLine ofCommand(String name, Output output) {
        return Objects.requireNonNull(
                forLine(List.of(name), output).getSubcommands().get(name), name);
    }

    /** Returns the grammar with all subcommands. */
    static CommandLine whole(Output output) {
        List<Named> all = new ArrayList<>();
        for (String name : Commands.names()) {
            all.add(new Named(name, Commands.named(name).orElseThrow()));
        }
        return tree(all, output);
    }

    private record Named(String name, Command command) {}

    private static CommandLine tree(List<Named> commands, Output output) {
        CommandSpec root = withCommonOptions(CommandSpec.create().name("holdfast"));
        root.addOption(
                OptionSpec.builder("--version")
                        .type(boolean.class)
                        .description("Print the version.")
                        .build());
        root.usageMessage()
                .synopsisSubcommandLabel("COMMAND")
                .description(
                        "%nHolds Linux processes by pidfd, so that no operation reaches the wrong"
                                + " process.%n")
                .footer(
                        "%nExit codes: 0 success, 1 failure, 2 usage error, 141 output pipe"
                                + " closed. run and watch exit with the exit code of the process;"
                                + " status and check have more codes (see their help).",
                        "holdfast help COMMAND shows the options and examples of a command.");
        CommandLine line = new CommandLine(root);
        for (Named named : commands) {
            CommandSpec spec = withCommonOptions(named.command().spec().name(named.name()));
            spec.usageMessage().sortOptions(false);
            line.addSubcommand(named.name(), spec);
        }
        line.setColorScheme(output.helpColours());
        line.setUsageHelpWidth(HELP_WIDTH);
        line.getHelpSectionMap()
                .put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, CommandTree::commandList);
        return line;
    }

    private static CommandSpec withCommonOptions(CommandSpec spec) {
        return spec.addOption(
                        OptionSpec.builder("-h", "--help")
                                .usageHelp(true)
                                .type(boolean.class)
                                .description("Show this help.")
                                .build())
                .addOption(
                        OptionSpec.builder("--debug")
                                .type(boolean.class)
                                .description("Print a stack trace with an error message.")
                                .build());
    }

    private static String commandList(Help help) {
        int width = help.subcommands().keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder text = new StringBuilder();
        for (Commands.Section section : Commands.SECTIONS) {
            text.append(help.colorScheme().text("%n@|bold %s|@%n".formatted(section.title())));
            for (String name : section.names()) {
                Help subcommand = help.subcommands().get(name);
                if (subcommand != null) {
                    String[] header = subcommand.commandSpec().usageMessage().header();
                    text.append("  ")
                            .append(help.colorScheme().commandText(name))
                            .append(" ".repeat(width - name.length() + 3))
                            .append(String.join(" ", header))
                            .append(System.lineSeparator());
                }
            }
        }
        return text.toString();
    }
}
