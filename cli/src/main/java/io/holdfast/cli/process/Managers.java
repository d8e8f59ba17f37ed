package io.holdfast.cli.process;

import static io.holdfast.cli.process.Identity.told;

import io.holdfast.cli.command.ShortQuestion;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.VarlinkClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Holdfast's managers that may run here: the system's, that of this user, and one that is named.
 */
final class Managers {
    /** How long info waits for a daemon. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Set<Path> folders = new LinkedHashSet<>();

    /**
     * @param named the folder of another manager's sockets
     */
    Managers(Optional<Path> named) {
        named.ifPresent(folders::add);
        String user = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "");
        if (!user.isEmpty()) {
            folders.add(Path.of(user, "holdfast"));
        }
        folders.add(ManagerOptions.system(System.getenv()).runtimeDirectory());
    }

    /** Where their sockets are. */
    List<Path> folders() {
        return List.copyOf(folders);
    }

    /**
     * A process as its manager sees it.
     *
     * @param folder of the manager's sockets
     */
    record Workload(Path folder, String unit, Optional<String> invocationId) {}

    /**
     * The unit that one of the managers says the process is of. They are given the pidfd, so that
     * no other process can be meant. The user's manager is asked before the system's, in one of
     * whose units it runs.
     */
    Optional<Workload> workloadOf(PidFd process) {
        return folders.stream()
                .filter(folder -> Files.exists(folder.resolve(ManagerInterface.SOCKET)))
                .flatMap(folder ->
                        ShortQuestion.<Optional<Workload>>ask(
                                PATIENCE, () -> ask(folder, process), Optional.empty())
                                .stream())
                .findFirst();
    }

    private static Optional<Workload> ask(Path folder, PidFd process) {
        try (PidFd held = process.duplicate(); // the answer may come when nobody waits for it
                VarlinkClient client =
                        VarlinkClient.connect("unix:" + folder.resolve(ManagerInterface.SOCKET))) {
            return told(() -> WorkloadIdentity.ask(client, held.fd()))
                    .flatMap(who ->
                            who.unit()
                                    .map(unit ->
                                            new Workload(folder, unit.text(), who.invocationId())));
        }
    }
}
