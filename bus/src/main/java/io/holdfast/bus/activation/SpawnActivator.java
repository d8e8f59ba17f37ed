package io.holdfast.bus.activation;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.service.Activator;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;

/**
 * Starts services by spawning the command of their file, as a child of the bus, which holds its
 * pidfd. A child that exits with 0 has put itself into the background; any other exit before its
 * name has an owner means that the start has failed. Services outlive the bus: they see their
 * connection close.
 */
public final class SpawnActivator implements Activator {
    private static final Pattern FALSE = Pattern.compile("(.*/)?false");

    private final Map<String, String> environment = new ConcurrentHashMap<>();
    private final ServiceUser users;
    private final int umask;
    private final ExecutorService spawner =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("holdfast-bus-spawn").daemon().factory());

    /**
     * @param address the address of the bus, for its services
     * @param type the type of the bus, session or system
     * @param ownUid the uid that the bus runs as
     * @param umask the umask of the services
     */
    public SpawnActivator(String address, String type, long ownUid, int umask) {
        this.umask = umask;
        this.users = new ServiceUser(ownUid);
        environment.put("DBUS_STARTER_ADDRESS", address);
        environment.put("DBUS_STARTER_BUS_TYPE", type);
        if (type.equals("session")) {
            environment.put("DBUS_SESSION_BUS_ADDRESS", address);
        } else if (type.equals("system")) {
            environment.put("DBUS_SYSTEM_BUS_ADDRESS", address);
        }
    }

    @Override
    public void setEnvironment(Map<String, String> variables) {
        environment.putAll(variables);
    }

    /** The bus bounds the queue of starts: max_pending_service_starts. */
    @Override
    public void start(ServiceFile service, Start start) {
        Map<String, String> variables = new HashMap<>(environment);
        spawner.execute(() -> spawn(service, variables, start));
    }

    private void spawn(ServiceFile service, Map<String, String> variables, Start start) {
        if (needsServiceManager(service)) {
            start.failed(
                    BusError.SPAWN_SERVICE_NOT_VALID.wireName(),
                    "only a service manager can start %s (%s in %s), and name %s has no owner"
                            .formatted(
                                    service.name(),
                                    service.systemdService(),
                                    service.file(),
                                    BusMessages.MANAGER));
            return;
        }
        Child child;
        try {
            List<String> command = new ArrayList<>(users.prefix(service));
            command.addAll(service.exec());
            Map<String, String> all = new HashMap<>(System.getenv());
            all.putAll(variables);
            all.keySet().removeAll(NOT_INHERITED);
            child =
                    Spawn.of(command)
                            .environment(all)
                            .directory(Path.of("/"))
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.inherit())
                            .stderr(Stdio.inherit())
                            .newSession()
                            .umask(umask)
                            .start();
        } catch (ErrnoException | UnknownAccountException | InterruptedException e) {
            start.failed(
                    BusError.SPAWN_EXEC_FAILED.wireName(),
                    service.name() + " cannot be started: " + e.getMessage());
            return;
        }
        var ignored =
                child.onExit()
                        .thenAccept(exit -> {
                            child.close();
                            ended(service, exit, start);
                        });
    }

    /**
     * Returns whether the file names no program: Exec= is missing, or is false(1) beside a unit.
     */
    private static boolean needsServiceManager(ServiceFile service) {
        return service.exec().isEmpty()
                || (service.systemdService() != null
                        && FALSE.matcher(service.exec().getFirst()).matches());
    }

    /** Variables that the service manager of the bus set for the bus itself. */
    private static final List<String> NOT_INHERITED =
            List.of("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES");

    private static void ended(ServiceFile service, Exit exit, Start start) {
        switch (exit) {
            case Exit.Exited(int status) -> {
                if (status != 0) {
                    start.failed(
                            BusError.SPAWN_CHILD_EXITED.wireName(),
                            "%s exited with status %d".formatted(service.name(), status));
                }
            }
            case Exit.Killed killed ->
                    start.failed(
                            BusError.SPAWN_CHILD_SIGNALED.wireName(),
                            service.name() + " was " + killed);
            case Exit.Unknown _ -> {}
        }
    }

    @Override
    public void close() {
        spawner.shutdown();
    }
}
