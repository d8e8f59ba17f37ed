package io.holdfast.cli;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The completion script of fish(1), from the command's grammar: a line a command and an option. */
final class FishCompletion {
    private static final int LONGEST_SUMMARY = 80;

    private FishCompletion() {}

    static String of(CommandLine grammar) {
        StringBuilder script = new StringBuilder("complete -c holdfast -f\n");
        for (Map.Entry<String, CommandLine> each : grammar.getSubcommands().entrySet()) {
            CommandSpec spec = each.getValue().getCommandSpec();
            String[] header = spec.usageMessage().header();
            script.append("complete -c holdfast -n __fish_use_subcommand -a ")
                    .append(each.getKey())
                    .append(" -d ")
                    .append(quoted(String.join(" ", header)))
                    .append('\n');
            addArguments(script, each.getKey(), spec);
        }
        return script.toString();
    }

    private static void addArguments(StringBuilder script, String name, CommandSpec spec) {
        String inside = "complete -c holdfast -n '__fish_seen_subcommand_from " + name + "'";
        for (OptionSpec option : spec.options()) {
            script.append(inside);
            for (String form : option.names()) {
                script.append(form.startsWith("--") ? " -l " : " -s ")
                        .append(form.replaceFirst("^-+", ""));
            }
            script.append(option.arity().min() > 0 ? " -x" : "")
                    .append(" -d ")
                    .append(quoted(String.join(" ", option.description())))
                    .append('\n');
        }
        for (PositionalParamSpec argument : spec.positionalParameters()) {
            if (argument.completionCandidates() != null) {
                script.append(inside)
                        .append(" -a ")
                        .append(quoted(String.join(" ", argument.completionCandidates())))
                        .append('\n');
            }
        }
    }

    /** A text in quotes of fish, without the variables of help texts, and not too long. */
    private static String quoted(String text) {
        String plain = text.replaceAll("\\$\\{[^}]*}", "").replace("$$", "$").strip();
        String cut =
                plain.length() <= LONGEST_SUMMARY
                        ? plain
                        : plain.substring(0, LONGEST_SUMMARY - 1) + "\u2026";
        return "'" + cut.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
