package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.verify.SecurityAssessment;
import io.holdfast.manager.verify.SupportedDirectives;
import io.holdfast.manager.verify.UnitVerifier;
import io.holdfast.manager.verify.UnitVerifier.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Reports errors and unsupported directives of units before they are started. */
public final class VerifyCommand implements Command {
    private static final String DIRECTIVES = "--directives";
    private static final String STRICT = "--strict";
    private static final String SECURITY = "--security";
    private static final String ROOT = "--root";
    private static final String FORMAT = "--format";

    /** The forms of the result. */
    private enum Format {
        TEXT,
        JSON,
        SARIF
    }

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Check units for errors and for directives without effect.")
                .description(
                        "%nReports invalid, misspelled and unsupported directives, and those that"
                                + " this machine or container does not permit, with the"
                                + " consequences; missing programs, users, groups, paths and units;"
                                + " and ordering cycles. Starts nothing, and needs no running"
                                + " manager.%n")
                .footer(
                        "%nExit codes: 0 no errors (directives without effect are accepted), 1"
                                + " errors or, with --strict, any finding.",
                        "%nExamples:",
                        "  holdfast verify redis-server.service",
                        "  holdfast verify ./units/*.service",
                        "  holdfast verify --json nginx | jq '.diagnostics[] | select(.security)'",
                        "  holdfast verify --root /srv/image --format sarif multi-user.target",
                        "  holdfast verify --security redis-server",
                        "  holdfast verify --directives")
                .with(ManagerSocket::addOptions)
                .options(
                        "--units DIR",
                        Path.class,
                        "Search this folder for unit files before the standard folders; may be"
                                + " given several times.")
                .flag(STRICT, "Exit with 1 also for directives without effect and for remarks.")
                .flag(
                        DIRECTIVES,
                        "Print all directives and whether they are supported, as a Markdown table.")
                .flag(
                        SECURITY,
                        "Print how exposed each service is: 0 (perfect) to 10, by the tests and"
                                + " numbers of systemd-analyze security.")
                .option(
                        ROOT + " DIR",
                        Path.class,
                        "Verify the units of the system below this folder, with its programs, users"
                                + " and files.")
                .option(
                        FORMAT + " FORMAT",
                        "Print text (default), json (one object per unit), or sarif (one SARIF"
                                + " 2.1.0 document, one result per diagnostic).")
                .json("Print one JSON object per unit, as --format json.")
                .arguments(
                        "UNIT|FILE",
                        "0..*",
                        String.class,
                        "Unit names, or paths of unit files (with a slash).")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        if (line.hasMatchedOption(DIRECTIVES)) {
            SupportedDirectives.markdown().lines().forEach(output::line);
            return ExitCode.OK;
        }
        List<String> words = line.matchedPositionalValue(0, List.of());
        if (words.isEmpty()) {
            throw Command.misuse(line, "missing UNIT or FILE");
        }
        ManagerOptions options = ManagerSocket.options(line);
        UnitVerifier verifier =
                new UnitVerifier(
                        options.scope(),
                        loadPath(line, options),
                        line.matchedOptionValue("--units", List.of()),
                        sandboxes(line, options));
        if (line.hasMatchedOption(SECURITY)) {
            for (String each : words) {
                Exposure.print(assess(verifier, each), format(line) == Format.JSON, output);
            }
            return ExitCode.OK;
        }
        boolean strict = line.hasMatchedOption(STRICT);
        Format format = format(line);
        List<Verdict> verdicts = new ArrayList<>();
        boolean good = true;
        for (String each : words) {
            Verdict verdict = verify(verifier, each);
            good &= verdict.isGood() && !(strict && !verdict.diagnostics().isEmpty());
            switch (format) {
                case TEXT -> print(verdict, output);
                case JSON -> output.line(json(verdict).toString());
                case SARIF -> verdicts.add(verdict);
            }
        }
        if (format == Format.SARIF) {
            output.line(Sarif.document(verdicts).toString());
        }
        return good ? ExitCode.OK : ExitCode.FAILURE;
    }

    /** Returns what a manager could make here: started by us, for this machine. */
    private static Optional<SandboxSupport> sandboxes(ParseResult line, ManagerOptions options) {
        boolean isOurs = options.scope().user() || Unistd.geteuid() == 0;
        return isOurs && !line.hasMatchedOption(ROOT)
                ? Optional.of(SandboxSupport.find(SandboxSupport.Mode.AS_FOUND))
                : Optional.empty();
    }

    private static LoadPath loadPath(ParseResult line, ManagerOptions options) {
        Path root = line.matchedOptionValue(ROOT, null);
        if (root == null) {
            return options.loadPath();
        }
        if (!Files.isDirectory(root)) {
            throw new CommandException(root + ": no such folder");
        }
        return options.loadPath().below(new FileRoot(root));
    }

    private static Format format(ParseResult line) {
        String word = line.matchedOptionValue(FORMAT, "");
        if (word.isEmpty()) {
            return line.hasMatchedOption("--json") ? Format.JSON : Format.TEXT;
        }
        for (Format format : Format.values()) {
            if (word(format).equals(word)) {
                return format;
            }
        }
        throw Command.misuse(line, FORMAT + ": text, json or sarif, not " + word);
    }

    private static SecurityAssessment assess(UnitVerifier verifier, String word)
            throws InterruptedException {
        try {
            return word.contains("/")
                    ? verifier.assess(existing(word))
                    : verifier.assess(UnitName.ofUserInput(word));
        } catch (IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Path existing(String word) {
        Path file = Path.of(word);
        if (!Files.exists(file)) {
            throw new CommandException(word + ": no such file");
        }
        return file;
    }

    /** Verifies a unit; a word with a slash is the path of a unit file. */
    private static Verdict verify(UnitVerifier verifier, String word) throws InterruptedException {
        try {
            if (!word.contains("/")) {
                return verifier.verify(UnitName.ofUserInput(word));
            }
            return verifier.verify(existing(word));
        } catch (IllegalArgumentException e) {
            throw new CommandException("not the name of a unit: " + word, e);
        }
    }

    private static void print(Verdict verdict, Output output) {
        for (Diagnostic each : verdict.diagnostics()) {
            boolean mistake = !isWarning(each.kind());
            Object what =
                    mistake
                            ? output.bad("error: ")
                            : each.isSecurity() ? output.warning("security: ") : "";
            output.line(each.place().toString(), ": ", what, each.text());
        }
        output.line(verdict.unit().text(), ": ", summary(verdict));
    }

    private static boolean isWarning(Diagnostic.Kind kind) {
        return kind == Diagnostic.Kind.NOT_APPLIED || kind == Diagnostic.Kind.REMARK;
    }

    private static String summary(Verdict verdict) {
        List<Diagnostic> all = verdict.diagnostics();
        long mistakes = all.stream().filter(each -> !isWarning(each.kind())).count();
        long unsupported =
                all.stream().filter(each -> each.kind() == Diagnostic.Kind.NOT_APPLIED).count();
        long security = all.stream().filter(Diagnostic::isSecurity).count();
        List<String> parts = new ArrayList<>();
        if (mistakes > 0) {
            parts.add(mistakes == 1 ? "1 error" : mistakes + " errors");
        }
        if (unsupported > 0) {
            parts.add(
                    (unsupported == 1 ? "1 directive is" : unsupported + " directives are")
                            + " not applied"
                            + (security > 0 ? ", " + security + " of them security" : ""));
        }
        return parts.isEmpty() ? "good" : String.join("; ", parts);
    }

    private static JsonText json(Verdict verdict) {
        List<JsonText> diagnostics =
                verdict.diagnostics().stream()
                        .map(each ->
                                JsonText.object()
                                        .put("file", each.place().source())
                                        .put("line", each.place().line())
                                        .put("kind", word(each.kind()))
                                        .put("severity", word(each.severity()))
                                        .put("security", each.isSecurity())
                                        .put("message", each.message())
                                        .put(
                                                "cost",
                                                each.cost().map(DirectiveCost::text).orElse("")))
                        .toList();
        return JsonText.object()
                .put("unit", verdict.unit().text())
                .put("fragment", verdict.fragment().map(Path::toString).orElse(""))
                .put("good", verdict.isGood())
                .put("diagnostics", diagnostics);
    }

    static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
