package io.holdfast.manager.verify;

import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Checks whether the programs, users and groups that a unit names exist on this machine. Blocking.
 */
final class MachineCheck {
    private final Accounts accounts;

    MachineCheck(Accounts accounts) {
        this.accounts = accounts;
    }

    void check(Unit unit, List<Diagnostic> found) throws InterruptedException {
        switch (unit) {
            case ServiceUnit service -> {
                programs(service.service().commands(), found);
                accounts(service, service.exec(), found);
            }
            case SocketUnit socket -> owner(socket, socket.socket().owner(), found);
            default -> {}
        }
    }

    // ---- programs

    private static void programs(ServiceSection.Commands commands, List<Diagnostic> found) {
        Stream.of(
                        commands.condition(),
                        commands.startPre(),
                        commands.start(),
                        commands.startPost(),
                        commands.reload(),
                        commands.stop(),
                        commands.stopPost())
                .flatMap(List::stream)
                .forEach(command ->
                        problem(command)
                                .ifPresent(text -> found.add(missing(command.place(), text))));
    }

    /**
     * Returns what is wrong with a command's program, if anything. A name without a folder is
     * looked for in the search path only.
     */
    private static Optional<String> problem(ExecCommand command) {
        String name = command.executable();
        if (!name.startsWith("/")) {
            boolean there =
                    ExecCommand.SEARCH_PATH.stream()
                            .map(folder -> Path.of(folder, name))
                            .anyMatch(MachineCheck::isProgram);
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
                        + (!Files.exists(program)
                                ? ": there is no such file"
                                : Files.isRegularFile(program)
                                        ? ": it cannot be executed; chmod +x makes it a program"
                                        : ": it is not a file"));
    }

    private static boolean isProgram(Path path) {
        return Files.isRegularFile(path) && Files.isExecutable(path);
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

    private void owner(Unit unit, SocketSection.Owner owner, List<Diagnostic> found)
            throws InterruptedException {
        if (owner.user().isPresent()) {
            user(unit, "SocketUser", owner.user().get(), found);
        }
        if (owner.group().isPresent()) {
            group(unit, "SocketGroup", owner.group().get(), found);
        }
    }

    private void user(Unit unit, String directive, String name, List<Diagnostic> found)
            throws InterruptedException {
        try {
            Accounts.Account _ = accounts.user(name);
        } catch (UnknownAccountException e) {
            found.add(
                    missing(
                            Places.of(unit, directive, name),
                            directive + "=" + name + ": " + e.getMessage()));
        }
    }

    private void group(Unit unit, String directive, String name, List<Diagnostic> found)
            throws InterruptedException {
        try {
            long _ = accounts.group(name);
        } catch (UnknownAccountException e) {
            found.add(
                    missing(
                            Places.of(unit, directive, name),
                            directive + "=" + name + ": " + e.getMessage()));
        }
    }

    private static Diagnostic missing(UnitFilePlace place, String message) {
        return new Diagnostic(place, Diagnostic.Kind.MISSING, message);
    }
}
