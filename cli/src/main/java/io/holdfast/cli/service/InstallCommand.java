package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.install.InstallChange;
import io.holdfast.manager.unit.install.InstallFolders;
import io.holdfast.manager.unit.install.InstallRequest;
import io.holdfast.manager.unit.install.InstallRequest.Operation;
import io.holdfast.manager.unit.install.InstallResult;
import io.holdfast.manager.unit.install.UnitInstaller;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.Host;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code enable}, {@code disable}, {@code mask} and {@code unmask}: makes and removes the links
 * that systemctl(1) does, with or without a running manager.
 */
public final class InstallCommand implements Command {
    private static final String ROOT = "--root";
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

    private String verb() {
        return operation.name().toLowerCase(Locale.ROOT);
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
                        "  holdfast " + verb() + " nginx.service",
                        "  holdfast " + verb() + " --root /srv/image nginx.service")
                .with(ManagerSocket::addOptions)
                .option(
                        ROOT + " DIR",
                        Path.class,
                        "Change the system below this folder, such as an image.")
                .flag(RUNTIME, "Until the next boot only: the links are below /run.")
                .with(this::addChanges)
                .any(
                        PositionalParamSpec.builder()
                                .paramLabel("UNIT")
                                .arity("1..*")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description(
                                        operation == Operation.ENABLE
                                                ? "Units, or paths of unit files (with a slash)."
                                                : "Units."))
                .spec();
    }

    private void addChanges(Grammar grammar) {
        if (operation == Operation.ENABLE || operation == Operation.MASK) {
            grammar.flag(FORCE, "Replace links that lead elsewhere.");
        }
        if (operation != Operation.UNMASK) {
            grammar.flag(
                    NOW,
                    operation == Operation.ENABLE
                            ? "Also start the units."
                            : "Also stop the units.");
        }
    }

    @Override
    public int run(ParseResult line, Output output) {
        ManagerOptions options = ManagerSocket.options(line);
        Path root = line.matchedOptionValue(ROOT, null);
        boolean isNow = isSet(line, NOW);
        if (root != null && isNow) {
            throw Command.misuse(line, ROOT + " and " + NOW + " exclude each other");
        }
        if (!line.hasMatchedPositional(0)) {
            throw Command.misuse(line, "missing required parameter: 'UNIT'");
        }
        List<String> files =
                line.<List<String>>matchedPositionalValue(0, List.of()).stream()
                        .map(word -> named(word, root))
                        .toList();
        InstallResult result =
                installer(options, root)
                        .run(
                                new InstallRequest(
                                        operation,
                                        files,
                                        line.hasMatchedOption(RUNTIME),
                                        isSet(line, FORCE)));
        result.changes().forEach(change -> print(change, output));
        if (root == null && result.isModified()) {
            reload(line, options);
        }
        if (result.failure().isPresent()) {
            throw new CommandException(
                    String.valueOf(result.failure().get().getMessage()), result.failure().get());
        }
        boolean needsInstall = operation == Operation.ENABLE || operation == Operation.DISABLE;
        if (needsInstall && !result.carriesInstallInfo()) {
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

    private static String named(String word, Path root) {
        if (word.contains("/")) {
            return root == null ? Path.of(word).toAbsolutePath().normalize().toString() : word;
        }
        try {
            return UnitName.ofUserInput(word).text();
        } catch (IllegalArgumentException e) {
            throw new CommandException("not the name of a unit: " + word, e);
        }
    }

    private static UnitInstaller installer(ManagerOptions options, Path root) {
        if (root != null && !Files.isDirectory(root)) {
            throw new CommandException(root + ": no such folder");
        }
        LoadPath path =
                root == null ? options.loadPath() : options.loadPath().below(new FileRoot(root));
        return new UnitInstaller(
                InstallFolders.of(options.scope(), path),
                new UnitReader(Host.read(), options.scope()));
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

    /** Makes a manager notice the links, if one runs. */
    private static void reload(ParseResult line, ManagerOptions options) {
        if (Files.exists(options.runtimeDirectory().resolve(ManagerInterface.SOCKET))) {
            var _ =
                    ManagerSocket.call(
                            line, "ReloadDaemon", JsonObject.of(ManagerSocket.INTERACTIVE, true));
        }
    }

    private int now(ParseResult line, List<String> files, Output output) {
        List<String> names =
                files.stream().map(file -> file.substring(file.lastIndexOf('/') + 1)).toList();
        JobCommand job = operation == Operation.ENABLE ? JobCommand.start() : JobCommand.stop();
        return job.run(line, names, output);
    }
}
