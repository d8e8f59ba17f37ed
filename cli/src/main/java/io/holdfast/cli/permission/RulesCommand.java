package io.holdfast.cli.permission;

import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.engine.RuleLint;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.machine.Accounts;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.ConnectionLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Looks over an authority's rules, or tries them, without an authority; or asks it about them. */
public final class RulesCommand implements Command {
    private static final String LINT = "lint";
    private static final String TEST = "test";
    private static final String METRICS = "metrics";

    /** As an evaluator of the authority has: what nests too deeply there does so here. */
    private static final long STACK_BYTES = 2L << 20;

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header(
                        "Check rules without running them, try them, or show statistics of those in force.")
                .description(
                        "%nlint reads rules without running them, and tells what is probably not"
                                + " meant: properties, results and actions that there are not, and"
                                + " rules that no check comes to.%n%ntest runs them, and asks nothing"
                                + " of this system: who asks is described. What is not said of a"
                                + " subject is as for a process of no session, group and unit.%n%nmetrics"
                                + " asks the running authority, for root: how many evaluators it"
                                + " has, how many of them are stuck in a built-in function, and how"
                                + " many programs of polkit.spawn run.%n%nExits"
                                + " with 1 if something was found, or is not as expected.%n")
                .footer(
                        "%nA file of cases has one a line, blanks between its words, and quotes"
                                + " around what has blanks itself; EXPECTED is a result of polkit(8),"
                                + " or nothing, if no rule answers and the action's defaults are not"
                                + " known:",
                        "  # " + RuleCase.GRAMMAR,
                        "  yes              org.example.reboot "
                                + " user=john,groups=users:wheel,local=yes,active=yes",
                        "  auth_admin_keep  org.example.reboot  unit=a.service,nnp=yes  verb=start"
                                + " \"why=just because\"",
                        "%nExamples:",
                        "  holdfast rules lint",
                        "  holdfast rules lint --actions /usr/share/polkit-1/actions 40-mine.rules",
                        "  holdfast rules test --rules ./rules.d --action org.example.reboot"
                                + " --subject unit=a.service",
                        "  holdfast rules test --rules ./rules.d --cases ./cases --json",
                        "  holdfast rules metrics --json");
        return spec.addPositional(
                        PositionalParamSpec.builder()
                                .index("0")
                                .paramLabel(LINT + "|" + TEST + "|" + METRICS)
                                .required(true)
                                .arity("1")
                                .type(String.class)
                                .completionCandidates(List.of(LINT, TEST, METRICS))
                                .description("What to do with them.")
                                .build())
                .addPositional(
                        PositionalParamSpec.builder()
                                .index("1..*")
                                .paramLabel("FILE")
                                .arity("0..*")
                                .type(List.class)
                                .auxiliaryTypes(Path.class)
                                .description("Files of rules, whatever they are called.")
                                .build())
                .addOption(
                        folders(
                                "--rules",
                                "A folder of rules; without any, and without files, the standard"
                                        + " ones."))
                .addOption(
                        folders(
                                "--actions",
                                "A folder of policy files, which tell of actions and their"
                                        + " defaults; without any, the standard ones with the standard"
                                        + " rules, and none with others."))
                .addOption(Command.option("--action", "ACTION", "test: what it would do."))
                .addOption(
                        Command.option(
                                "--subject",
                                "NAME=VALUE,…",
                                "test: who asks: "
                                        + SubjectDescription.GRAMMAR.replace(",", ", ")
                                        + "."))
                .addOption(
                        OptionSpec.builder("--detail")
                                .paramLabel("KEY=VALUE")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description("test: what there is to know of the case.")
                                .build())
                .addOption(Command.option("--expect", "RESULT", "test: what is to come of it."))
                .addOption(
                        OptionSpec.builder("--cases")
                                .paramLabel("FILE")
                                .type(Path.class)
                                .description("test: cases, one a line.")
                                .build())
                .addOption(
                        Command.flag(
                                "--spawn",
                                "test: run the programs of polkit.spawn, as the authority of this"
                                        + " user would: root's as polkitd. Without it they fail."))
                .addOption(
                        Command.option(
                                "--authority",
                                "ADDRESS",
                                "metrics: the Varlink address of the authority; without it that of"
                                        + " HOLDFAST_AUTHORITY, or the machine's own."))
                .addOption(
                        Command.json(
                                "Print one JSON object a finding, or a case, or of all metrics."));
    }

    private static OptionSpec folders(String name, String description) {
        return OptionSpec.builder(name)
                .paramLabel("DIR")
                .type(List.class)
                .auxiliaryTypes(Path.class)
                .description(description)
                .build();
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        if (line.matchedPositionalValue(0, "").equals(METRICS)) {
            return metrics(line, output);
        }
        if (line.hasMatchedOption("--authority")) {
            throw Command.misuse(line, "--authority is for rules metrics");
        }
        FutureTask<Integer> work =
                switch (line.matchedPositionalValue(0, "")) {
                    case LINT -> new FutureTask<>(() -> lint(line, output));
                    case TEST -> {
                        RuleTests tests = tests(line, output);
                        yield new FutureTask<>(() -> tests.run(output));
                    }
                    default ->
                            throw Command.misuse(
                                    line, "it is rules lint, rules test, or rules metrics");
                };
        Thread thread = new Thread(null, work, "holdfast-rules", STACK_BYTES);
        thread.start();
        try {
            return work.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception cause) {
                throw cause;
            }
            throw e;
        }
    }

    private static int metrics(ParseResult line, Output output) {
        for (OptionSpec option : line.matchedOptions()) {
            if (!Set.of("--authority", "--json").contains(option.longestName())) {
                throw Command.misuse(line, option.longestName() + " is not for rules metrics");
            }
        }
        if (line.hasMatchedPositional(1)) {
            throw Command.misuse(line, "rules metrics takes no files");
        }
        String address = line.matchedOptionValue("--authority", Authority.varlinkAddress());
        JsonObject metrics;
        try (VarlinkClient authority = VarlinkClient.connect(address)) {
            metrics = authority.call(Authority.VARLINK_INTERFACE + ".GetRuleMetrics");
        } catch (VarlinkException | ConnectionLostException | IllegalArgumentException e) {
            throw new CommandException(address + ": " + e.getMessage(), e);
        }
        if (line.hasMatchedOption("--json")) {
            output.line(metrics.toString());
        } else {
            long evaluators = metrics.integer("evaluators");
            output.line(evaluators == 1 ? "1 evaluator" : evaluators + " evaluators");
            output.line(
                    "%d stuck in a built-in function, %d ever"
                            .formatted(metrics.integer("stuck"), metrics.integer("stuckEver")));
            output.line(metrics.integer("programs") + " programs of polkit.spawn");
        }
        return ExitCode.OK;
    }

    private static int lint(ParseResult line, Output output) {
        for (String option : List.of("--action", "--subject", "--detail", "--expect", "--cases")) {
            if (line.hasMatchedOption(option)) {
                throw Command.misuse(line, option + " is for rules test");
            }
        }
        Set<String> actions =
                actions(line).actions().stream()
                        .map(action -> action.id())
                        .collect(Collectors.toSet());
        RuleFiles files = files(line);
        List<RuleDiagnostic> found = RuleLint.check(files, actions);
        boolean json = line.hasMatchedOption("--json");
        for (RuleDiagnostic diagnostic : found) {
            String place = diagnostic.place().toString();
            if (json) {
                output.line(
                        JsonText.object().put("place", place).put("message", diagnostic.message()));
            } else {
                output.line(output.strong(place), ": ", diagnostic.message());
            }
        }
        if (!json) {
            int count = files.files().size();
            output.line(
                    (count == 1 ? "1 file" : count + " files") + ": ",
                    found.isEmpty()
                            ? output.good("nothing found")
                            : output.warning(found.size() + " found"));
        }
        return found.isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private static RuleTests tests(ParseResult line, Output output) throws InterruptedException {
        String action = line.matchedOptionValue("--action", null);
        Path file = line.matchedOptionValue("--cases", null);
        List<RuleCase> cases = new ArrayList<>();
        if (file != null) {
            cases.addAll(RuleCase.read(file));
        }
        if (action != null) {
            try {
                cases.add(
                        RuleCase.of(
                                Optional.empty(),
                                action,
                                line.matchedOptionValue("--subject", "uid=1000"),
                                RuleCase.details(line.matchedOptionValue("--detail", List.of())),
                                Optional.ofNullable(line.matchedOptionValue("--expect", null))));
            } catch (IllegalArgumentException e) {
                throw Command.misuse(line, String.valueOf(e.getMessage()));
            }
        } else if (line.hasMatchedOption("--subject")
                || line.hasMatchedOption("--detail")
                || line.hasMatchedOption("--expect")) {
            throw Command.misuse(line, "--subject, --detail and --expect go with --action");
        }
        if (action == null && file == null) {
            throw Command.misuse(line, "rules test needs --action or --cases");
        }
        RulePrograms programs =
                line.hasMatchedOption("--spawn")
                        ? RulePrograms.ofAuthority(Accounts.SYSTEM, output::complain)
                        : RulePrograms.none();
        return new RuleTests(
                files(line), actions(line), cases, programs, line.hasMatchedOption("--json"));
    }

    private static RuleFiles files(ParseResult line) {
        List<Path> folders = line.matchedOptionValue("--rules", List.of());
        List<Path> files = line.matchedPositionalValue(1, List.of());
        for (Path folder : folders) { // one of the standard ones may well not be there
            if (!folder.toFile().isDirectory()) {
                throw Command.misuse(line, "not a folder of rules: " + folder);
            }
        }
        return folders.isEmpty() && files.isEmpty()
                ? RuleFiles.read(RuleFiles.STANDARD_FOLDERS)
                : RuleFiles.read(folders, files);
    }

    private static ActionPool actions(ParseResult line) {
        List<Path> folders = line.matchedOptionValue("--actions", List.of());
        for (Path folder : folders) {
            if (!folder.toFile().isDirectory()) {
                throw Command.misuse(line, "not a folder of policy files: " + folder);
            }
        }
        boolean standard =
                folders.isEmpty()
                        && !line.hasMatchedOption("--rules")
                        && !line.hasMatchedPositional(1);
        return standard ? ActionPool.read(ActionFolders.STANDARD) : ActionPool.read(folders);
    }
}
