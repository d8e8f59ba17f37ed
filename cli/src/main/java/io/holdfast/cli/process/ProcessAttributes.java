package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.readIfPermitted;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Proc;
import io.holdfast.core.process.ProcessId;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Attributes of a process that only {@code /proc} has, or that daemons report. They are empty if
 * the process is gone, or this user may not read them.
 *
 * @param listening the sockets on which the process listens
 * @param workload the unit of the process in a Holdfast manager
 * @param names the names that it owns on the buses that run here
 */
record ProcessAttributes(
        Optional<List<String>> commandLine,
        Optional<Path> executable,
        Optional<Path> directory,
        Optional<Boolean> noNewPrivileges,
        Optional<Instant> startTime,
        Optional<ProcessId> parent,
        List<String> children,
        Optional<List<String>> listening,
        Optional<Managers.Workload> workload,
        List<String> names) {

    static ProcessAttributes of(PidFd process, Managers managers) {
        Supplier<Optional<Managers.Workload>> workload = managers.workloadOf(process);
        Supplier<OwnedNames> names = OwnedNames.find(managers);
        Proc proc = process.proc();
        return new ProcessAttributes(
                readIfPermitted(proc::commandLine),
                readIfPermitted(proc::executable),
                readIfPermitted(proc::directory),
                readIfPermitted(proc::noNewPrivileges),
                readIfPermitted(proc::startTime),
                readIfPermitted(process::parent)
                        .flatMap(parent -> parent.flatMap(ProcessAttributes::named)),
                children(process),
                new ListenerTable().of(process),
                workload.get(),
                readIfPermitted(process::processId)
                        .filter(id -> id.pidfdId().isPresent())
                        .map(id -> names.get().of(id))
                        .orElse(List.of()));
    }

    private static Optional<ProcessId> named(PidFd process) {
        try (process) {
            return readIfPermitted(process::processId).map(ProcessId::inThisBoot);
        }
    }

    /** Visits the children one by one, because there may be more of them than descriptors. */
    private static List<String> children(PidFd process) {
        List<String> names = new ArrayList<>();
        boolean _ =
                readIfPermitted(
                                () -> {
                                    process.visitChildren((child, _) ->
                                            named(child).ifPresent(id -> names.add(id.toString())));
                                    return true;
                                })
                        .isPresent();
        return names;
    }
}
