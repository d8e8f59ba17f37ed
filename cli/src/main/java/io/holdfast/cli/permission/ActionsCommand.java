package io.holdfast.cli.permission;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the actions that an authority knows, with their implicit authorizations. */
public final class ActionsCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "List the actions of an authority, with their implicit authorizations.")
                .description(
                        "%nPrints one line per action: action ID, description, and the implicit"
                                + " authorizations any/inactive/active, or a single one if all"
                                + " three are equal. Rules may override them; see holdfast"
                                + " check.%n")
                .footer(
                        "%nExit codes: 0 success, 1 no action matches ACTION, or the authority did"
                                + " not answer.",
                        "%nExamples:",
                        "  holdfast actions",
                        "  holdfast actions 'org.freedesktop.systemd1.*'",
                        "  holdfast actions --json org.freedesktop.hostname1.set-hostname")
                .arguments(
                        "ACTION",
                        "0..*",
                        String.class,
                        "Action IDs to list; * matches any text (default: all actions).")
                .with(AuthorityCall::addOption)
                .json("Print one JSON object per action, with all its properties.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<Pattern> wanted =
                line.<List<String>>matchedPositionalValue(0, List.of()).stream()
                        .map(ActionsCommand::pattern)
                        .toList();
        List<JsonObject> actions =
                AuthorityCall.call(line, "ListActions", JsonObject.EMPTY)
                        .objects("actions")
                        .stream()
                        .filter(action -> isWanted(action.string("id"), wanted))
                        .sorted(Comparator.comparing(action -> action.string("id")))
                        .toList();
        for (JsonObject action : actions) {
            if (line.hasMatchedOption("--json")) {
                output.line(action.toString());
            } else {
                print(action, output);
            }
        }
        return actions.isEmpty() && !wanted.isEmpty() ? ExitCode.FAILURE : ExitCode.OK;
    }

    private static Pattern pattern(String text) {
        return Pattern.compile("\\Q" + text.replace("*", "\\E.*\\Q") + "\\E");
    }

    private static boolean isWanted(String id, List<Pattern> wanted) {
        return wanted.isEmpty() || wanted.stream().anyMatch(each -> each.matcher(id).matches());
    }

    private static void print(JsonObject action, Output output) {
        String any = action.string("allowAny");
        String inactive = action.string("allowInactive");
        String active = action.string("allowActive");
        boolean same = any.equals(inactive) && any.equals(active);
        String description = action.string("description");
        output.line(
                output.strong(action.string("id")),
                description.isEmpty() ? "" : "  " + description,
                output.faint("  " + (same ? any : any + "/" + inactive + "/" + active)));
    }
}
