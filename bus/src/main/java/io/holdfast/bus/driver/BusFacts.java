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

/** What the bus tells of itself and of its machine. */
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

    /** The process of the bus, as a client would be told of it. */
    Peer self() {
        return self;
    }

    /** The user of the bus. */
    public long uid() {
        return self.uid();
    }

    /** Lets those pass who are in no container. */
    static void requireNoContainer(Connection from, String what) throws BusErrorException {
        if (from.container() != null) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED, what + " is not for what is in a container");
        }
    }

    /** Lets root and the user of the bus pass, unless in a container. */
    void requirePrivileged(Connection from, String what) throws BusErrorException {
        requireNoContainer(from, what);
        long uid = from.peer().uid();
        if (uid != 0 && uid != self.uid()) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED,
                    what + " is for root and the user of the bus, not for user " + uid);
        }
    }

    /** The features that this bus has (D-Bus Specification, property Features). */
    List<String> features() {
        return systemdActivation
                ? List.of("ActivatableServicesChanged", "HeaderFiltering", "SystemdActivation")
                : List.of("ActivatableServicesChanged", "HeaderFiltering");
    }

    /** Whether SELinux was on when the bus began. */
    boolean selinux() {
        return selinux;
    }

    /** The id of this machine as it was when the configuration was read, or null. */
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
