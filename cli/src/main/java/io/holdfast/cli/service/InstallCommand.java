package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.up.Stack;
import io.holdfast.manager.unit.install.InstallChange;
import io.holdfast.manager.unit.install.InstallRequest;
import io.holdfast.manager.unit.install.InstallRequest.Operation;
import io.holdfast.manager.unit.install.InstallResult;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code enable}, {@code disable}, {@code mask} and their relatives: makes and removes the links
 * that systemctl(1) does, with or without a running manager.
 */
public final class InstallCommand implements Command {
    private static final String ALL = "--all";
    private static final Set<Operation> FORCIBLE =
            EnumSet.of(
                    Operation.ENABLE,
                    Operation.REENABLE,
                    Operation.PRESET,
                    Operation.LINK,
                    Operation.MASK);
    private static final Set<Operation> WITH_NOW =
            EnumSet.of(Operation.ENABLE, Operation.DISABLE, Operation.MASK);
    private static final Set<Operation> NEEDS_INSTALL =
            EnumSet.of(Operation.ENABLE, Operation.DISABLE, Operation.REENABLE, Operation.PRESET);
    private static final String RUNTIME = "--runtime";
    private static final String FORCE = "--force";
    private static final String NOW = "--now";

    private final Operation operation;
    private final String header;
    private final String description;

    private InstallCommand(Operation operation, String header, String description) {
        this.operation = operation;
        this.header = header;
        this.description = description;
    }

    public static InstallCommand enable() {
        return new InstallCommand(
                Operation.ENABLE,
                "Enable units: make the links that their [Install] sections name.",
                "A unit with WantedBy=multi-user.target is started with multi-user.target from then"
                        + " on, as at the boot of a container (holdfast init); one with"
                        + " WantedBy=holdfast.target with every holdfast up.");
    }

    public static InstallCommand disable() {
        return new InstallCommand(
                Operation.DISABLE,
                "Disable units: remove the links that enable them.",
                "Links to a unit that does not exist any more are removed, too.");
    }

    public static InstallCommand mask() {
        return new InstallCommand(
                Operation.MASK,
                "Mask units: make sure that nothing starts them.",
                "Makes a link to /dev/null in place of each unit file.");
    }

    public static InstallCommand unmask() {
        return new InstallCommand(
                Operation.UNMASK, "Unmask units.", "Removes the links that holdfast mask made.");
    }

    public static InstallCommand reenable() {
        return new InstallCommand(
                Operation.REENABLE,
                "Enable units anew: remove the links of units, and make those that their files"
                        + " name now.",
                "Useful after the [Install] section of a unit has changed.");
    }

    public static InstallCommand preset() {
        return new InstallCommand(
                Operation.PRESET,
                "Enable or disable units as the preset files of the distribution say.",
                "The files are those of systemd.preset(5); a unit without a rule is enabled.");
    }

    public static InstallCommand link() {
        return new InstallCommand(
                Operation.LINK,
                "Make unit files available that are in other folders.",
                "Makes a link to each file; the unit is not enabled. holdfast disable removes the"
                        + " link.");
    }

    public static InstallCommand revert() {
        return new InstallCommand(
                Operation.REVERT,
                "Remove what was changed in units: drop-ins, masks and own copies.",
                "A unit file is removed only if the installed system has one of that name.");
    }

    public static InstallCommand setDefault() {
        return new InstallCommand(
                Operation.SET_DEFAULT,
                "Choose the target that a boot starts.",
                "Makes the link default.target, which holdfast init starts in a container.");
    }

    private String verb() {
        return operation.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, header)
                .description(
                        "%n"
                                + description
                                + "%n%nThe links are those of systemctl "
                                + verb()
                                + ". Needs no manager; one that runs reloads its unit files.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast " + verb() + " " + example(),
                        "  holdfast " + verb() + " --root /srv/image " + example())
                .with(UnitFileSet::addOptions)
                .with(this::addChanges)
                .any(
                        PositionalParamSpec.builder()
                                .paramLabel(label())
                                .arity(arity())
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description(
                                        switch (operation) {
                                            case ENABLE ->
                                                    "Units, or paths of unit files (with a slash).";
                                            case LINK -> "Paths of unit files.";
                                            case SET_DEFAULT -> "The target.";
                                            default -> "Units.";
                                        }))
                .spec();
    }

    private void addChanges(Grammar grammar) {
        if (operation != Operation.REVERT && operation != Operation.SET_DEFAULT) {
            grammar.flag(RUNTIME, "Until the next boot only: the links are below /run.");
        }
        if (FORCIBLE.contains(operation)) {
            grammar.flag(FORCE, "Replace links that lead elsewhere.");
        }
        if (operation == Operation.PRESET) {
            grammar.flag(ALL, "All unit files.");
        }
        if (WITH_NOW.contains(operation)) {
            grammar.flag(
                    NOW,
                    operation == Operation.ENABLE
                            ? "Also start the units."
                            : "Also stop the units.");
        }
    }

    private String label() {
        return operation == Operation.LINK ? "FILE" : "UNIT";
    }

    private String example() {
        return switch (operation) {
            case LINK -> "/opt/app/app.service";
            case SET_DEFAULT -> "multi-user.target";
            default -> "nginx.service";
        };
    }

    private String arity() {
        return switch (operation) {
            case PRESET -> "0..*"; // none with --all
            case SET_DEFAULT -> "1";
            default -> "1..*";
        };
    }

    @Override
    public int run(ParseResult line, Output output) {
        UnitFileSet set = UnitFileSet.of(line);
        boolean isNow = isSet(line, NOW);
        if (set.isImage() && isNow) {
            throw Command.misuse(line, UnitFileSet.ROOT + " and " + NOW + " exclude each other");
        }
        if (!line.hasMatchedPositional(0) && operation != Operation.PRESET) {
            throw Command.misuse(line, "missing required parameter: '" + label() + "'");
        }
        List<String> files =
                line.<List<String>>matchedPositionalValue(0, List.of()).stream()
                        .map(set::named)
                        .toList();
        if (operation == Operation.PRESET && files.isEmpty() != isSet(line, ALL)) {
            throw Command.misuse(line, "give either units or " + ALL);
        }
        InstallResult result =
                set.installer()
                        .run(
                                new InstallRequest(
                                        operation,
                                        files,
                                        isSet(line, RUNTIME),
                                        isSet(line, FORCE) || operation == Operation.SET_DEFAULT));
        result.changes().forEach(change -> print(change, output));
        if (result.isModified()) {
            set.reload(line);
        }
        if (result.failure().isPresent()) {
            throw new CommandException(
                    String.valueOf(result.failure().get().getMessage()), result.failure().get());
        }
        if (NEEDS_INSTALL.contains(operation) && !result.carriesInstallInfo() && !files.isEmpty()) {
            output.warn(
                    String.join(", ", files)
                            + ": nothing to "
                            + verb()
                            + ": no [Install] section with WantedBy=, RequiredBy=, UpheldBy=,"
                            + " Alias= or Also=; other units or sockets start it");
        }
        return isNow ? now(line, files, output) : ExitCode.OK;
    }

    private static boolean isSet(ParseResult line, String option) {
        return line.commandSpec().findOption(option) != null && line.hasMatchedOption(option);
    }

    private static void print(InstallChange change, Output output) {
        switch (change.kind()) {
            case SYMLINK -> output.line("made ", change.path(), " -> ", change.source());
            case UNLINK -> output.line("removed ", change.path());
            case MASKED -> output.warn(change.path() + ": masked, so nothing is done for it");
            case DESTINATION_MISSING -> {
                if (!change.path().equals(Stack.TARGET.text())) { // which `up` makes
                    output.warn(
                            change.path() + ": there is no such unit yet, which is to start it");
                }
            }
            case AUXILIARY_FAILED ->
                    output.warn(change.path() + ": there is no such unit, which Also= names");
        }
    }

    private int now(ParseResult line, List<String> files, Output output) {
        List<String> names =
                files.stream().map(file -> file.substring(file.lastIndexOf('/') + 1)).toList();
        JobCommand job = operation == Operation.ENABLE ? JobCommand.start() : JobCommand.stop();
        return job.run(line, names, output);
    }
}
