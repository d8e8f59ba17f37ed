package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.readIfPermitted;

import io.holdfast.cli.command.ReplyLimits;
import io.holdfast.cli.command.ShortQuestion;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.client.VarlinkClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The Holdfast managers that may run here: a named one, that of this user, and that of the system.
 */
final class Managers {
    /** How long info waits for the daemons, which it asks in parallel. */
    static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final Set<Path> folders = new LinkedHashSet<>();

    /**
     * Lists the folders, most specific first.
     *
     * @param named the folder of another manager's sockets, which is asked first
     */
    Managers(Optional<Path> named) {
        named.ifPresent(folders::add);
        String user = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "");
        if (!user.isEmpty()) {
            folders.add(Path.of(user, "holdfast"));
        }
        folders.add(ManagerOptions.system(System.getenv()).runtimeDirectory());
    }

    /** Returns the folders of their sockets. */
    List<Path> folders() {
        return List.copyOf(folders);
    }

    /**
     * A process as its manager sees it.
     *
     * @param folder the folder of the manager's sockets
     */
    record Workload(Path folder, String unit, Optional<String> invocationId) {}

    /**
     * Asks the managers for the unit of the process. The question contains the pidfd, so that the
     * answer cannot be about another process. The user's manager has precedence over the system's
     * manager, because it runs in a unit of the latter.
     *
     * @return a supplier that waits for the answer
     */
    Supplier<Optional<Workload>> workloadOf(PidFd process) {
        List<ShortQuestion<Optional<Workload>>> questions =
                folders.stream()
                        .filter(folder -> Files.exists(folder.resolve(ManagerInterface.SOCKET)))
                        .map(folder ->
                                ShortQuestion.start(TIMEOUT, () -> workload(folder, process)))
                        .toList();
        return () ->
                questions.stream()
                        .flatMap(question -> question.answer().stream())
                        .flatMap(Optional::stream)
                        .findFirst();
    }

    private static Optional<Workload> workload(Path folder, PidFd process) {
        try (PidFd held = process.duplicate(); // the caller may stop waiting and close its pidfd
                VarlinkClient client =
                        VarlinkClient.connect(
                                VarlinkAddress.parse(
                                        "unix:" + folder.resolve(ManagerInterface.SOCKET)),
                                ReplyLimits.varlink())) {
            return readIfPermitted(() -> WorkloadIdentity.query(client, held.fd()))
                    .flatMap(who ->
                            who.unit()
                                    .map(unit ->
                                            new Workload(folder, unit.text(), who.invocationId())));
        }
    }
}
