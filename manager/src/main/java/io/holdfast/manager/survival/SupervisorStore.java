package io.holdfast.manager.survival;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.Notify;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The descriptor store of a systemd that runs a keeper as its service ({@code
 * FileDescriptorStoreMax=}): it holds the sockets of our own store, so that even what a keeper held
 * is there when systemd starts the next one.
 */
public final class SupervisorStore {
    private static final String PREFIX = "holdfast-store-"; // its names end with what they are

    private SupervisorStore() {}

    /** Whether there is one that is large enough. */
    public static boolean isThere() {
        String most = System.getenv("FDSTORE");
        return most != null
                && most.matches("[0-9]{1,9}")
                && Integer.parseInt(most) >= DescriptorStore.SOCKETS;
    }

    /** The sockets that a keeper before this one has kept there. To be called once. */
    static Optional<List<Fd>> take() {
        if (!isThere()) {
            return Optional.empty();
        }
        Map<String, Fd> found = new TreeMap<>();
        for (ListenFds.Named passed : ListenFds.take()) {
            Fd twice =
                    passed.name().startsWith(PREFIX)
                            ? found.put(passed.name(), passed.fd())
                            : passed.fd(); // nothing of ours
            if (twice != null) {
                twice.close();
            }
        }
        if (found.size() == DescriptorStore.SOCKETS) {
            return Optional.of(new ArrayList<>(found.values()));
        }
        found.values().forEach(Fd::close);
        return Optional.empty();
    }

    /** Keeps the sockets there. */
    static void keep(List<Fd> sockets) {
        if (isThere()) {
            for (int i = 0; i < sockets.size(); i++) {
                boolean ignored =
                        Notify.send(
                                "FDSTORE=1\nFDPOLL=0\nFDNAME=" + PREFIX + i,
                                List.of(sockets.get(i)));
            }
        }
    }
}
