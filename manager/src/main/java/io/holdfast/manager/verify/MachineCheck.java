package io.holdfast.manager.verify;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Checks whether the programs, users, groups and paths of the sandbox that a unit names exist, on
 * this machine or below the root of another system. Each account is looked up once. Blocking.
 */
final class MachineCheck {
    /** Folders that another system fills when it runs; a path below them may appear. */
    private static final List<Path> FILLED_AT_RUN_TIME =
            Stream.of("/run", "/dev", "/proc", "/sys", "/tmp").map(Path::of).toList();

    private final ManagerScope scope;
    private final FileRoot root;
    private final Accounts accounts;
    private final Map<String, Optional<String>> users = new HashMap<>();
    private final Map<String, Optional<String>> groups = new HashMap<>();

    MachineCheck(ManagerScope scope, FileRoot root) {
        this.scope = scope;
        this.root = root;
        this.accounts =
                root.isMachine()
                        ? Accounts.SYSTEM
                        : new Accounts(
                                root.follow(Path.of("/etc/passwd")),
                                root.follow(Path.of("/etc/group")),
                                "false", // no name service knows the accounts of another system
                                Duration.ofSeconds(15));
    }

    void check(Unit unit, List<Diagnostic> found) throws InterruptedException {
        for (ExecCommand command : unit.allCommands()) {
            problem(command).ifPresent(text -> found.add(missing(command.place(), text)));
        }
        if (unit.execution().isPresent()) {
            accounts(unit, unit.execution().get(), found);
            paths(unit, unit.execution().get(), found);
        }
        for (Map.Entry<String, String> user : unit.otherUsers().entrySet()) {
            user(unit, user.getKey(), user.getValue(), found);
        }
        for (Map.Entry<String, String> group : unit.otherGroups().entrySet()) {
            group(unit, group.getKey(), group.getValue(), found);
        }
    }

    // ---- programs

    /**
     * Returns what is wrong with a command's program, if anything. A name without a folder is
     * looked for in the search path only.
     */
    private Optional<String> problem(ExecCommand command) {
        String name = command.executable();
        if (!name.startsWith("/")) {
            boolean there =
                    ExecCommand.SEARCH_PATH.stream()
                            .map(folder -> Path.of(folder, name))
                            .anyMatch(this::isProgram);
            return there
                    ? Optional.empty()
                    : Optional.of(
                            name + ": it is not in " + String.join(":", ExecCommand.SEARCH_PATH));
        }
        Path program = Path.of(name);
        if (isProgram(program)) {
            return Optional.empty();
        }
        return Optional.of(
                name
                        + (!Files.exists(root.follow(program))
                                ? ": there is no such file"
                                : Files.isRegularFile(root.follow(program))
                                        ? ": it cannot be executed; chmod +x makes it a program"
                                        : ": it is not a file"));
    }

    private boolean isProgram(Path path) {
        Path file = root.follow(path);
        return Files.isRegularFile(file) && Files.isExecutable(file);
    }

    // ---- users and groups

    private void accounts(Unit unit, ExecSettings exec, List<Diagnostic> found)
            throws InterruptedException {
        if (exec.dynamicUser()) {
            return; // created for the run
        }
        if (exec.user().isPresent()) {
            user(unit, "User", exec.user().get(), found);
        }
        if (exec.group().isPresent()) {
            group(unit, "Group", exec.group().get(), found);
        }
        for (String group : exec.supplementaryGroups()) {
            group(unit, "SupplementaryGroups", group, found);
        }
    }

    private void user(Unit unit, String directive, String name, List<Diagnostic> found)
            throws InterruptedException {
        Optional<String> problem = users.get(name);
        if (problem == null) {
            problem = problemOf(() -> accounts.user(name));
            users.put(name, problem);
        }
        account(unit, directive, name, problem, found);
    }

    private void group(Unit unit, String directive, String name, List<Diagnostic> found)
            throws InterruptedException {
        Optional<String> problem = groups.get(name);
        if (problem == null) {
            problem = problemOf(() -> accounts.group(name));
            groups.put(name, problem);
        }
        account(unit, directive, name, problem, found);
    }

    private interface Lookup {
        Object find() throws UnknownAccountException, InterruptedException;
    }

    private static Optional<String> problemOf(Lookup lookup) throws InterruptedException {
        try {
            Object _ = lookup.find();
            return Optional.empty();
        } catch (UnknownAccountException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    private static void account(
            Unit unit,
            String directive,
            String name,
            Optional<String> problem,
            List<Diagnostic> found) {
        problem.ifPresent(text ->
                found.add(
                        missing(
                                unit.source().placeOf(directive, name),
                                directive + "=" + name + ": " + text)));
    }

    // ---- the sandbox

    private void paths(Unit unit, ExecSettings exec, List<Diagnostic> found) {
        SandboxSettings sandbox = exec.sandbox();
        if (sandbox.root().isPresent()) {
            SandboxSettings.Root root = sandbox.root().get();
            if (root.isFolder()) {
                path(unit, exec, root.directive(), root.path(), found);
            } else {
                found.add(
                        missing(
                                unit.source().placeOf(root.directive(), root.path()),
                                root
                                        + ": an image is not supported, so the service does not"
                                        + " start"));
            }
        }
        for (SandboxSettings.Bind bind : sandbox.binds()) {
            if (!bind.optional()) {
                path(unit, exec, bind.directive(), bind.source(), found);
            }
        }
        for (SandboxSettings.PathRule rule : sandbox.rules()) {
            if (!rule.optional() && !rule.inRoot()) {
                path(unit, exec, rule.access().directive(), rule.path(), found);
            }
        }
    }

    /** Reports a path without which the start fails. */
    private void path(
            Unit unit, ExecSettings exec, String directive, String path, List<Diagnostic> found) {
        Path wanted = Path.of(path);
        boolean mayAppear =
                !root.isMachine() && FILLED_AT_RUN_TIME.stream().anyMatch(wanted::startsWith);
        if (!mayAppear && !isMade(exec, wanted) && Files.notExists(root.follow(wanted))) {
            found.add(
                    missing(
                            unit.source().placeOf(directive, path),
                            directive + "=" + path + ": there is no such file"));
        }
    }

    /** Returns whether the start of the service makes a path itself, as a folder or below one. */
    private boolean isMade(ExecSettings exec, Path path) {
        return exec.directories().values().stream()
                .anyMatch(directory ->
                        directory.paths().stream()
                                .map(entry -> Path.of(directory.kind().root(scope), entry.path()))
                                .anyMatch(path::startsWith));
    }

    private static Diagnostic missing(UnitFilePlace place, String message) {
        return new Diagnostic(place, Diagnostic.Kind.MISSING, message);
    }
}
