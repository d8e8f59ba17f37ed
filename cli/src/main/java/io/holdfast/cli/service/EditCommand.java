package io.holdfast.cli.service;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.install.InstallFolders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code edit}: opens an editor on a drop-in of a unit, or on a copy of its unit file, and makes a
 * running manager read the result.
 *
 * <p>The editor works on a file beside the real one, which is replaced at once when the editor has
 * succeeded: what is not saved, or is empty, changes nothing.
 */
public final class EditCommand implements Command {
    private static final String FULL = "--full";
    private static final String RUNTIME = "--runtime";
    private static final String DROP_IN = "--drop-in";
    private static final String DEFAULT_NAME = "override.conf";
    private static final int MODE = 0644;
    private static final int PUBLIC = 0755;

    private static final String BEGIN = "### Anything between here and the comment below becomes ";
    private static final String END = "### Lines below this comment will be discarded";

    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this, "Edit units: add to them by a drop-in file, or replace their files.")
                .description(
                        "%nThe editor is that of $SYSTEMD_EDITOR, $EDITOR or $VISUAL, else editor,"
                                + " nano, vim or vi. A manager that runs reads the unit files again;"
                                + " the unit uses them from its next start. holdfast revert removes the"
                                + " changes.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast edit nginx.service",
                        "  holdfast edit --full --runtime nginx.service")
                .with(UnitFileSet::addOptions)
                .flag(FULL, "Edit a copy of the unit file, which then replaces it.")
                .flag(RUNTIME, "Until the next boot only: the file is below /run.")
                .option(DROP_IN + " NAME", "The name of the drop-in (default: override.conf).")
                .any(
                        PositionalParamSpec.builder()
                                .paramLabel("UNIT")
                                .arity("1..*")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description("Units."))
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws IOException, InterruptedException {
        if (!line.hasMatchedPositional(0)) {
            throw Command.misuse(line, "missing required parameter: 'UNIT'");
        }
        UnitFileSet set = UnitFileSet.of(line);
        InstallFolders folders = set.folders();
        Path folder = line.hasMatchedOption(RUNTIME) ? folders.runtime() : folders.persistent();
        UnitLoader loader = UnitLoader.scan(set.path());
        boolean isChanged = false;
        try {
            for (String word : line.<List<String>>matchedPositionalValue(0, List.of())) {
                UnitSource source = set.find(loader, word);
                if (source.state() == UnitSource.State.MASKED) {
                    throw new CommandException(
                            source.name() + ": masked; unmask it first: holdfast unmask");
                }
                isChanged |= edit(line, folder, source, output);
            }
        } finally {
            if (isChanged) {
                set.reload(line);
            }
        }
        return ExitCode.OK;
    }

    /** Returns whether a file was changed. */
    private static boolean edit(ParseResult line, Path folder, UnitSource source, Output output)
            throws IOException, InterruptedException {
        UnitName unit = source.name();
        boolean full = line.hasMatchedOption(FULL);
        String name = full ? unit.text() : dropIn(line);
        try (TrustedFolder top = TrustedFolder.make(folder)) {
            if (full) {
                return edit(top, name, fullText(source, folder.resolve(name)), true, output);
            }
            try (TrustedFolder in = top.child(unit + ".d", PUBLIC)) {
                return edit(in, name, dropInText(source, in.path(), name), false, output);
            } finally {
                boolean _ = folder.resolve(unit + ".d").toFile().delete(); // if it is empty
            }
        } catch (ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static String dropIn(ParseResult line) {
        String name = line.matchedOptionValue(DROP_IN, DEFAULT_NAME);
        if (name.contains("/") || name.startsWith(".")) {
            throw new CommandException("not the name of a drop-in: " + name);
        }
        return name.endsWith(".conf") ? name : name + ".conf";
    }

    private static String fullText(UnitSource source, Path present) throws IOException {
        return Files.readString(
                Files.isRegularFile(present) ? present : source.fragment().orElseThrow());
    }

    /** Returns the present drop-in, with the other files of the unit as comments below. */
    private static String dropInText(UnitSource source, Path folder, String name)
            throws IOException {
        Path file = folder.resolve(name);
        StringBuilder text = new StringBuilder();
        text.append("### Editing ").append(file).append('\n');
        text.append(BEGIN).append("the contents of the drop-in file\n\n");
        text.append(Files.exists(file) ? Files.readString(file) : "").append("\n\n");
        text.append(END).append('\n');
        List<Path> others =
                Stream.concat(source.fragment().stream(), source.dropIns().stream())
                        .filter(other -> !other.equals(file))
                        .toList();
        for (Path other : others) {
            text.append("\n\n### ").append(other).append('\n');
            Files.readAllLines(other).forEach(each -> text.append("# ").append(each).append('\n'));
        }
        return text.toString();
    }

    private static boolean edit(
            TrustedFolder folder, String name, String before, boolean full, Output output)
            throws IOException, InterruptedException {
        Path file = folder.path().resolve(name);
        String temporary = ".#" + name + "." + Long.toHexString(System.nanoTime());
        Path draft = folder.path().resolve(temporary);
        folder.write(temporary, MODE, before.getBytes(UTF_8));
        try {
            runEditor(draft);
            String after = Files.readString(draft);
            String text = full ? after : contents(after);
            if (text.isBlank()) {
                output.warn(file + ": nothing is left after editing, so it is not changed");
                return false;
            }
            if (Files.exists(file) && Files.readString(file).equals(text)) {
                return false;
            }
            folder.write(name, MODE, text.getBytes(UTF_8));
            output.line("wrote ", file);
            return true;
        } finally {
            boolean _ = Files.deleteIfExists(draft);
        }
    }

    /** Returns the lines between the two comments. */
    private static String contents(String text) {
        List<String> lines = text.lines().toList();
        int begin = 0;
        int end = lines.size();
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(BEGIN)) {
                begin = i + 1;
            } else if (lines.get(i).equals(END)) {
                end = i;
                break;
            }
        }
        String kept = String.join("\n", lines.subList(Math.min(begin, end), end)).strip();
        return kept.isEmpty() ? "" : kept + "\n";
    }

    private static void runEditor(Path file) throws InterruptedException {
        List<String> command = editor(System.getenv());
        command.add(file.toString());
        Exit exit;
        try (Child child =
                Spawn.of(command)
                        .stdin(Stdio.inherit())
                        .stdout(Stdio.inherit())
                        .stderr(Stdio.inherit())
                        .start()) {
            exit = child.await();
        } catch (ErrnoException e) {
            throw new CommandException(
                    "cannot start the editor " + command.getFirst() + ": " + e.getMessage(), e);
        }
        if (!exit.isSuccess()) {
            throw new CommandException(
                    "the editor " + command.getFirst() + " failed: " + exit + "; nothing changed");
        }
    }

    private static List<String> editor(Map<String, String> environment) {
        for (String name : List.of("SYSTEMD_EDITOR", "EDITOR", "VISUAL")) {
            String value = environment.getOrDefault(name, "").strip();
            if (!value.isEmpty()) {
                return new ArrayList<>(List.of(value.split("\\s+")));
            }
        }
        Optional<String> found =
                Stream.of("editor", "nano", "vim", "vi").filter(EditCommand::isInPath).findFirst();
        return new ArrayList<>(
                List.of(
                        found.orElseThrow(() ->
                                new CommandException(
                                        "no editor: set EDITOR, or install nano or vi"))));
    }

    private static boolean isInPath(String program) {
        return Stream.of(System.getenv().getOrDefault("PATH", "/usr/bin:/bin").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }
}
