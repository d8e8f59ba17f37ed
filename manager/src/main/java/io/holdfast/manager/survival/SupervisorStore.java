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
 * FileDescriptorStoreMax=}). It holds the sockets of the keeper's store, so that the content
 * survives even the keeper: systemd passes the sockets to the next keeper.
 */
public final class SupervisorStore {
    private static final String PREFIX = "holdfast-store-"; // followed by the index of the socket

    private SupervisorStore() {}

    /** Returns whether there is such a store, and it is large enough. */
    public static boolean isThere() {
        String most = System.getenv("FDSTORE");
        return most != null
                && most.matches("[0-9]{1,9}")
                && Integer.parseInt(most) >= DescriptorStore.SOCKETS;
    }

    /** Takes the sockets that a previous keeper has stored there. Call it once. */
    static Optional<List<Fd>> take() {
        if (!isThere()) {
            return Optional.empty();
        }
        Map<String, Fd> found = new TreeMap<>();
        for (ListenFds.Named passed : ListenFds.take()) {
            Fd twice =
                    passed.name().startsWith(PREFIX)
                            ? found.put(passed.name(), passed.fd())
                            : passed.fd(); // not a socket of the store
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
