package io.holdfast.man;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/**
 * The manual page of one command, in section 1. Picocli's generator writes options and arguments
 * from the model. This class writes the synopsis and the description, because the generator takes
 * some of their characters for markup, and the sections that the help has in its footer.
 */
final class CommandPage {
    private static final int UNBROKEN = 4096; // help breaks NAME.slice at its dot, too

    private static final String EXAMPLES = "Examples:";
    private static final String EXIT_CODE = "Exit codes?: ";

    private static final String FILES =
            section(
                    "Files",
                    """
                    _/etc/systemd/system_, _/run/systemd/system_, _/usr/lib/systemd/system_::
                      The unit files of the system; for a user _~/.config/systemd/user_ and others
                      of *systemd.unit*(5).
                    _/etc/systemd/system/holdfast.target.wants_::
                      Links to the units that *holdfast up* starts.
                    _/run/holdfast_, _$XDG_RUNTIME_DIR/holdfast_::
                      The sockets of the manager of root, and of a user.
                    _/var/log/holdfast.log_, _~/.local/state/log/holdfast.log_::
                      The output of *holdfast up --detach*.
                    """);
    private static final String ENVIRONMENT =
            section(
                    "Environment",
                    """
                    *XDG_RUNTIME_DIR*::
                      The folder above that of the sockets of a user's manager.
                    *DBUS_SYSTEM_BUS_ADDRESS*, *DBUS_SESSION_BUS_ADDRESS*::
                      The addresses of the buses; *holdfast up* sets one of them for its units.
                    *NO_COLOR*::
                      If it is not empty, the output has no colours.
                    """);

    private final CommandSpec spec;
    private final String version;
    private final List<String> description = new ArrayList<>();
    private final List<String> exitCodes = new ArrayList<>();
    private final List<String> examples = new ArrayList<>();

    /**
     * Prepares a page.
     *
     * @param spec the model of the command; its texts are replaced by Asciidoc
     * @param version the version of the program
     */
    CommandPage(CommandSpec spec, String version) {
        this.spec = spec;
        this.version = version;
    }

    /** Returns the name without the section: {@code holdfast-status}. */
    String name() {
        return spec.qualifiedName("-");
    }

    /** Returns the page in Asciidoc. Call it only once, because it changes the model. */
    String text() {
        String synopsis = synopsis();
        readTexts();
        spec.version("Holdfast " + version);
        List<CommandSpec> commands = removeSubcommands();
        boolean findsManager =
                name().equals("holdfast") || spec.findOption("--runtime-dir") != null;
        quoteArguments();

        StringWriter page = new StringWriter();
        PrintWriter out = new PrintWriter(page);
        ManPageGenerator.writeSingleManPage(out, spec);
        out.flush();
        String[] parts =
                page.toString().replaceAll("(?m)^// (tag|end)::.*\n", "").split("(?m)^(?=== )", -1);
        StringBuilder text = new StringBuilder();
        for (String part : parts) {
            if (!part.startsWith("== Synopsis") && !part.startsWith("== Description")) {
                text.append(part);
            }
            if (part.startsWith("== Name")) {
                text.append(section("Synopsis", synopsis))
                        .append(section("Description", Asciidoc.blocks(description)));
            }
        }
        return text.append(commandList(commands))
                .append(section("Exit status", exitStatus()))
                .append(examples.isEmpty() ? "" : section("Examples", Asciidoc.blocks(examples)))
                .append(findsManager ? FILES + ENVIRONMENT : "")
                .append(section("See also", references()))
                .toString();
    }

    private String synopsis() {
        String name = spec.qualifiedName(" ");
        String words =
                spec.commandLine()
                        .setUsageHelpWidth(UNBROKEN)
                        .setColorScheme(Help.defaultColorScheme(Ansi.OFF))
                        .getHelp()
                        .synopsis(0)
                        .replaceAll("\\s+", " ")
                        .strip();
        return "*" + name + "* " + Asciidoc.inline(words.substring(name.length()));
    }

    /**
     * Collects the description, exit codes and examples. Other lines of the footer before the
     * examples belong to the description.
     */
    private void readTexts() {
        UsageMessageSpec usage = spec.usageMessage();
        String header = String.join(" ", usage.header());
        description.addAll(Asciidoc.lines(usage.description()));
        List<String> part = description;
        for (String line : Asciidoc.lines(usage.footer())) {
            if (line.equals(EXAMPLES)) {
                part = examples;
            } else if (line.matches(EXIT_CODE + ".*")) {
                exitCodes.add(line.replaceFirst(EXIT_CODE, ""));
            } else {
                part.add(line);
            }
        }
        description.removeIf(String::isBlank);
        if (description.isEmpty()) {
            description.add(header);
        }
        String summary = header.isEmpty() ? description.getFirst() : header;
        usage.header(summary.replaceFirst("\\.$", "")); // whatis(1) shows no markup
        usage.description();
        usage.footer();
    }

    private List<CommandSpec> removeSubcommands() {
        List<CommandSpec> commands =
                spec.subcommands().values().stream().map(line -> line.getCommandSpec()).toList();
        List.copyOf(spec.subcommands().keySet()).forEach(spec::removeSubcommand);
        return commands;
    }

    /**
     * Quotes the descriptions of all options and parameters. Picocli replaces variables in a
     * description only while the argument is in the model.
     */
    private void quoteArguments() {
        List<OptionSpec> options =
                spec.options().stream()
                        .map(each ->
                                each.toBuilder().description(quoted(each.description())).build())
                        .toList();
        List<PositionalParamSpec> positional =
                spec.positionalParameters().stream()
                        .map(each ->
                                each.toBuilder().description(quoted(each.description())).build())
                        .toList();
        List.copyOf(spec.options()).forEach(spec::remove);
        List.copyOf(spec.positionalParameters()).forEach(spec::remove);
        options.forEach(spec::addOption);
        positional.forEach(spec::addPositional);
    }

    /** Quotes a text for Asciidoc, and its dollar signs for picocli, which replaces variables. */
    private static String quoted(String... texts) {
        return Asciidoc.inline(String.join(" ", texts)).replace("$", "$$");
    }

    private static String commandList(List<CommandSpec> commands) {
        if (commands.isEmpty()) {
            return "";
        }
        StringBuilder list = new StringBuilder();
        for (CommandSpec command : commands) {
            list.append("\n*")
                    .append(command.qualifiedName("-"))
                    .append("*(1)::\n  ")
                    .append(Asciidoc.inline(String.join(" ", command.usageMessage().header())))
                    .append('\n');
        }
        return section("Commands", list.toString());
    }

    private String exitStatus() {
        if (exitCodes.isEmpty()) {
            exitCodes.add("0 success, 1 failure, 2 usage error.");
        }
        return Asciidoc.blocks(exitCodes);
    }

    private String references() {
        return (name().equals("holdfast") ? "" : "*holdfast*(1), ")
                + "*holdfast-exit-codes*(7), *holdfast-identity*(7), *holdfast-limits*(7)";
    }

    private static String section(String title, String content) {
        return "\n== " + title + "\n\n" + content.strip() + "\n\n";
    }
}
