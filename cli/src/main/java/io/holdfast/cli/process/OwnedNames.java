package io.holdfast.cli.process;

import io.holdfast.cli.command.BusArgument;
import io.holdfast.cli.command.ShortQuestion;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The well-known names that processes own on the buses that run here: the system bus, the session
 * bus, and those beside the sockets of Holdfast's managers. Each bus is asked for the pidfd of the
 * owner of each name. A bus that knows only PIDs, or does not answer soon, contributes no names.
 */
final class OwnedNames {
    private static final String UNIX_PATH = "unix:path=";

    private final Map<ProcessId, List<String>> names;

    private OwnedNames(Map<ProcessId, List<String>> names) {
        this.names = names;
    }

    /**
     * Asks all of these buses for their names.
     *
     * @return a supplier that waits for the answers
     */
    static Supplier<OwnedNames> find(Managers managers) {
        List<ShortQuestion<Map<ProcessId, List<String>>>> questions =
                addresses(managers).stream()
                        .map(address -> ShortQuestion.start(Managers.TIMEOUT, () -> of(address)))
                        .toList();
        return () -> join(questions);
    }

    private static OwnedNames join(List<ShortQuestion<Map<ProcessId, List<String>>>> questions) {
        Map<ProcessId, List<String>> all = new HashMap<>();
        for (ShortQuestion<Map<ProcessId, List<String>>> question : questions) {
            question.answer()
                    .orElse(Map.of())
                    .forEach((process, names) ->
                            all.computeIfAbsent(process, _ -> new ArrayList<>()).addAll(names));
        }
        all.values().forEach(each -> each.sort(null));
        return new OwnedNames(all);
    }

    /** Returns the names of a process, sorted. */
    List<String> of(ProcessId process) {
        return names.getOrDefault(process, List.of()).stream().distinct().toList();
    }

    private static Set<String> addresses(Managers managers) {
        Set<String> addresses = new LinkedHashSet<>();
        BusAddress.system().forEach(each -> addresses.add(each.toString()));
        String session = System.getenv().getOrDefault("DBUS_SESSION_BUS_ADDRESS", "");
        if (!session.isEmpty()) {
            addresses.add(session);
        }
        managers.folders().forEach(folder -> addresses.add(UNIX_PATH + folder.resolve("bus")));
        addresses.removeIf(address ->
                address.startsWith(UNIX_PATH) && !Files.exists(Path.of(pathIn(address))));
        return addresses;
    }

    /**
     * Returns the path of the first address, cut at the first escape, so that an escaped path does
     * not exist.
     */
    private static String pathIn(String address) {
        return address.substring(UNIX_PATH.length()).split("[,;%]", 2)[0];
    }

    private static Map<ProcessId, List<String>> of(String address) throws InterruptedException {
        Map<ProcessId, List<String>> names = new HashMap<>();
        try (BusConnection bus = BusArgument.connect(address)) {
            List<?> all =
                    (List<?>) bus.bus().call("org.freedesktop.DBus", "ListNames", "").getFirst();
            for (Object each : all) {
                String name = String.valueOf(each);
                if (!name.startsWith(":") && !name.equals("org.freedesktop.DBus")) {
                    ownerOf(name, bus)
                            .forEach(owner ->
                                    names.computeIfAbsent(owner, _ -> new ArrayList<>()).add(name));
                }
            }
        }
        return names;
    }

    /** Returns the owner of the name, or an empty list if it cannot be identified by pidfs id. */
    private static List<ProcessId> ownerOf(String name, BusConnection bus)
            throws InterruptedException {
        try (Peer peer = bus.peer(name)) {
            return peer
                    .pidFd()
                    .flatMap(process -> ProcessIdentity.readIfPermitted(process::processId))
                    .filter(id -> id.pidfdId().isPresent())
                    .stream()
                    .toList();
        } catch (DBusException e) {
            return List.of(); // the owner has disconnected or released the name
        }
    }
}
