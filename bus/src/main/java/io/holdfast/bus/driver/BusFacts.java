package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the bus reports about itself and its machine. */
public final class BusFacts implements AutoCloseable {
    private final String id;
    private final boolean systemdActivation;
    private final Peer self = ownIdentity();
    private final boolean selinux = Files.exists(Path.of("/sys/fs/selinux/enforce"));
    private @Nullable String machineId = MachineId.read();

    /**
     * @param id 32 lower-case hexadecimal digits
     */
    public BusFacts(String id, boolean systemdActivation) {
        this.id = id;
        this.systemdActivation = systemdActivation;
    }

    private static Peer ownIdentity() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try {
            return pair[0].peer();
        } finally {
            pair[0].close();
            pair[1].close();
        }
    }

    String id() {
        return id;
    }

    /** Returns the process of the bus, as a client sees it. */
    Peer self() {
        return self;
    }

    /** Returns the uid that the bus runs as. */
    public long uid() {
        return self.uid();
    }

    /** Refuses a connection that is in a container. */
    static void requireNoContainer(Connection from, String what) throws BusErrorException {
        if (from.container() != null) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED, what + " is not available to clients in a container");
        }
    }

    /**
     * Refuses every connection that is not of root or the user of the bus, or is in a container.
     */
    void requirePrivileged(Connection from, String what) throws BusErrorException {
        requireNoContainer(from, what);
        long uid = from.peer().uid();
        if (uid != 0 && uid != self.uid()) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED,
                    what + " requires root or the user of the bus, not user " + uid);
        }
    }

    /** Returns the features of this bus (D-Bus Specification, property Features). */
    List<String> features() {
        return systemdActivation
                ? List.of("ActivatableServicesChanged", "HeaderFiltering", "SystemdActivation")
                : List.of("ActivatableServicesChanged", "HeaderFiltering");
    }

    /** Returns whether SELinux was on when the bus was opened. */
    boolean selinux() {
        return selinux;
    }

    /** Returns the id of this machine as of the last read of the configuration, or null. */
    @Nullable String machineId() {
        return machineId;
    }

    public void machineId(@Nullable String read) {
        machineId = read;
    }

    @Override
    public void close() {
        self.close();
    }
}
