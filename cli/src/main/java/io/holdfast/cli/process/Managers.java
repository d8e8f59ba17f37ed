package io.holdfast.cli.process;

import static io.holdfast.cli.process.Identity.told;

import io.holdfast.cli.command.ShortQuestion;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.manager.varlink.ManagerInterface;
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
 * Holdfast's managers that may run here: the system's, that of this user, and one that is named.
 */
final class Managers {
    /** How long info waits for the daemons, which it asks all at once. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

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
     * Asks the managers for the unit of the process. They are given the pidfd, so that no other
     * process can be meant. The answer of the user's manager counts before that of the system's, in
     * one of whose units it runs.
     *
     * @return waits for the answer
     */
    Supplier<Optional<Workload>> workloadOf(PidFd process) {
        List<ShortQuestion<Optional<Workload>>> questions =
                folders.stream()
                        .filter(folder -> Files.exists(folder.resolve(ManagerInterface.SOCKET)))
                        .map(folder -> ShortQuestion.ask(PATIENCE, () -> ask(folder, process)))
                        .toList();
        return () ->
                questions.stream()
                        .flatMap(question -> question.answer().stream())
                        .flatMap(Optional::stream)
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
