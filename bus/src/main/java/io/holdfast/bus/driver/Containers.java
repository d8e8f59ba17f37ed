package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.limit.FairShare;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.address.transport.BusListener;
import io.holdfast.dbus.address.transport.Transport;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The apps in containers that have sockets of their own on this bus. Each socket is charged to the
 * user that requested it, and is closed when the requesting connection leaves or stops it.
 */
public final class Containers {
    private static final String PATH = Container.INTERFACE.replace('.', '/') + "/c";
    private static final int FDS_OF_LISTENER = 2; // its socket and its reserved descriptor

    private static final Set<PosixFilePermission> FOR_ALL_TO_PASS =
            PosixFilePermissions.fromString("rwxr-xr-x");

    private final Path folder;
    private final Connections connections;
    private final Policies policies;
    private final BusMessages messages;
    private final Supplier<String> guids;
    private final Map<String, Container> byPath = new HashMap<>();
    private long count;

    /**
     * @param folder the folder of the sockets; made if its parent exists
     * @param guids makes the id of an address: 32 lower-case hexadecimal digits
     */
    public Containers(
            Path folder,
            Connections connections,
            Policies policies,
            BusMessages messages,
            Supplier<String> guids) {
        this.folder = folder;
        this.connections = connections;
        this.policies = policies;
        this.messages = messages;
        this.guids = guids;
    }

    /** A container and the address at which its clients connect. */
    record Server(Container container, BusListener listener, BusAddress address) {}

    /** Opens a socket for one app. */
    Server add(Connection creator, String type, String name, Map<?, ?> metadata)
            throws BusErrorException {
        long uid = creator.peer().uid();
        requireRoom(creator, BusLimit.MAX_CONTAINERS, byPath.size());
        requireRoom(
                creator,
                BusLimit.MAX_CONTAINERS_PER_USER,
                byPath.values().stream().filter(one -> one.uid() == uid).count());
        FairShare<Long> descriptors = connections.charges().quota().descriptors();
        if (!descriptors.tryTake(uid, FDS_OF_LISTENER)) {
            connections.charges().over(creator, BusLimit.MAX_UNIX_FDS);
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, descriptors.refusal(uid));
        }
        BusListener listener;
        try {
            listener = listen();
        } catch (BusErrorException | RuntimeException e) {
            descriptors.release(uid, FDS_OF_LISTENER);
            throw e;
        }
        try {
            return serve(creator, type, name, metadata, listener);
        } catch (ErrnoException e) { // the loop cannot watch it: ENOSPC, ENOMEM, EMFILE
            listener.listener().close();
            descriptors.release(uid, FDS_OF_LISTENER);
            throw new BusErrorException(BusError.FAILED, "no socket: " + e.getMessage());
        }
    }

    private Server serve(
            Connection creator,
            String type,
            String name,
            Map<?, ?> metadata,
            BusListener listener) {
        long uid = creator.peer().uid();
        FairShare<Long> descriptors = connections.charges().quota().descriptors();
        String path = "/" + PATH + count++;
        Container container =
                new Container(
                        path,
                        creator,
                        type,
                        name,
                        metadata,
                        () -> {
                            if (byPath.remove(path) != null) {
                                descriptors.release(uid, FDS_OF_LISTENER);
                                messages.instanceRemoved(path);
                            }
                        });
        String guid = guids.get();
        container.listen(connections, policies, listener.listener(), guid);
        byPath.put(path, container);
        return new Server(container, listener, listener.address().withGuid(guid));
    }

    private void requireRoom(Connection creator, BusLimit limit, long used)
            throws BusErrorException {
        long most = connections.charges().limits().get(limit);
        if (used >= most) {
            connections.charges().over(creator, limit);
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED, "%s is %d, and as many exist".formatted(limit, most));
        }
    }

    private BusListener listen() throws BusErrorException {
        try {
            makeFolder();
            Transport anyName = new Transport.Folder("dir", folder.toString());
            return BusListener.listen(anyName.address()).getFirst();
        } catch (IOException | BusAddressException | ErrnoException e) {
            throw new BusErrorException(
                    BusError.FAILED, "no socket in " + folder + ": " + e.getMessage());
        }
    }

    private void makeFolder() throws IOException {
        try {
            Path made = Files.createDirectory(folder);
            Path _ = Files.setPosixFilePermissions(made, FOR_ALL_TO_PASS);
        } catch (FileAlreadyExistsException e) {
            // as it should be
        }
    }

    /** Returns the container with an object path. */
    Container get(String path) throws BusErrorException {
        Container container = byPath.get(path);
        if (container == null) {
            throw new BusErrorException(
                    BusError.NOT_CONTAINER, "no container has the path " + path);
        }
        return container;
    }

    /** Closes the sockets that a leaving connection requested. */
    public void creatorLeft(Connection creator) {
        List.copyOf(byPath.values()).stream()
                .filter(one -> one.creator() == creator)
                .forEach(Container::creatorLeft);
    }

    /** Closes all sockets. */
    public void close() {
        List.copyOf(byPath.values()).forEach(Container::stopListening);
    }
}
