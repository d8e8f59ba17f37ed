package io.holdfast.cli.permission;

import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.authority.rules.RuleDiagnostic;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.authority.rules.engine.RuleLint;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.machine.Accounts;
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
import picocli.CommandLine.ParseResult;

/** Checks rules for mistakes, tests them, or prints the rule metrics of a running authority. */
public final class RulesCommand implements Command {
    private static final String LINT = "lint";
    private static final String TEST = "test";
    private static final String METRICS = "metrics";

    /** The stack size of an evaluator of the authority, so that deep nesting fails here, too. */
    private static final long STACK_BYTES = 2L << 20;

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Check rules for mistakes, test them, or print their metrics.")
                .description(
                        "%nlint reads rules without running them, and reports probable mistakes:"
                                + " unknown properties, results and actions, and unreachable"
                                + " rules.%n%ntest evaluates rules for subjects that --subject or a"
                                + " file of cases describes, not for processes of this system."
                                + " Attributes that are not given mean no session, no group, no"
                                + " unit.%n%nmetrics prints how many rule evaluators the running"
                                + " authority has, how many of them are stuck in a built-in"
                                + " function, and how many programs of polkit.spawn run. Only for"
                                + " root and the user of the authority.%n")
                .footer(
                        "%nA file of cases has one case per line. Blanks separate the words; double"
                                + " quotes enclose a word that contains blanks. EXPECTED is a"
                                + " result of polkit(8), or the word nothing if no rule decides and"
                                + " the action is unknown:",
                        "  # " + RuleCase.GRAMMAR,
                        "  yes              org.example.reboot "
                                + " user=john,groups=users:wheel,local=yes,active=yes",
                        "  auth_admin_keep  org.example.reboot  unit=a.service,nnp=yes  verb=start"
                                + " \"why=just because\"",
                        "%nExit codes: 0 success, 1 a mistake was found, or a result is not the"
                                + " expected one.",
                        "%nExamples:",
                        "  holdfast rules lint",
                        "  holdfast rules lint --actions /usr/share/polkit-1/actions 40-mine.rules",
                        "  holdfast rules test --rules ./rules.d --action org.example.reboot --subject unit=a.service",
                        "  holdfast rules test --rules ./rules.d --cases ./cases --json",
                        "  holdfast rules metrics --json")
                .argument(
                        LINT + "|" + TEST + "|" + METRICS,
                        "1",
                        List.of(LINT, TEST, METRICS),
                        "What to do with the rules.")
                .arguments(
                        "FILE",
                        "0..*",
                        Path.class,
                        "Rule files; their names need not end in .rules.")
                .options(
                        "--rules DIR",
                        Path.class,
                        "Read rules from this folder; may be given several times (default without"
                                + " FILE: the folders of polkit(8)).")
                .options(
                        "--actions DIR",
                        Path.class,
                        "Read policy files (actions and their implicit authorizations) from this"
                                + " folder; may be given several times (default: the folders of"
                                + " polkit(8), or none with --rules or FILE).")
                .option("--action ACTION", "test: the action to check.")
                .option(
                        "--subject NAME=VALUE,…",
                        "test: the subject of --action: "
                                + SubjectDescription.GRAMMAR.replace(",", ", ")
                                + " (default: uid=1000).")
                .options(
                        "--detail KEY=VALUE",
                        String.class,
                        "test: a detail of the action, for action.lookup(KEY); may be given several"
                                + " times.")
                .option("--expect RESULT", "test: the expected result.")
                .option("--cases FILE", Path.class, "test: a file of cases, one per line.")
                .flag(
                        "--spawn",
                        "test: run the programs of polkit.spawn as the authority would, for root as"
                                + " the user polkitd (default: polkit.spawn fails).")
                .option(
                        "--authority ADDRESS",
                        "metrics: the Varlink address of the authority (default:"
                                + " HOLDFAST_AUTHORITY, or /run/holdfast/io.holdfast.Authority).")
                .json(
                        "Print one JSON object per finding (lint), per case (test), or with all"
                                + " metrics.")
                .spec();
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
                        RuleCaseRunner tests = tests(line, output);
                        yield new FutureTask<>(() -> tests.run(output));
                    }
                    default ->
                            throw Command.misuse(
                                    line, "unknown subcommand; expected: lint, test or metrics");
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
        JsonObject metrics = AuthorityCall.call(line, "GetRuleMetrics", JsonObject.EMPTY);
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

    private static RuleCaseRunner tests(ParseResult line, Output output)
            throws InterruptedException {
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
        return new RuleCaseRunner(
                files(line), actions(line), cases, programs, line.hasMatchedOption("--json"));
    }

    private static RuleFiles files(ParseResult line) {
        List<Path> folders = line.matchedOptionValue("--rules", List.of());
        List<Path> files = line.matchedPositionalValue(1, List.of());
        for (Path folder : folders) { // only the standard folders may be missing
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
