package io.holdfast.bus.connection;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One app in a container (org.freedesktop.DBus.Containers1): whoever connects to the socket that
 * was made for it is that app, whatever it says of itself. Who made the socket, and what he said of
 * the app, is told to all who ask. Only for the bus's thread.
 */
public final class Container {
    /** The interface of the bus for these. */
    public static final String INTERFACE = "org.freedesktop.DBus.Containers1";

    private final String path;
    private final long uid;
    private final String type;
    private final String name;
    private final Map<?, ?> metadata;
    private final Runnable ended;
    private final List<Connection> connections = new ArrayList<>();
    private @Nullable Connection creator;
    private @Nullable Listener listener;

    /**
     * @param path of the object that stands for it
     * @param type of the container: what made it, in the form of an interface name
     * @param name of the app, in the words of what made the container
     * @param metadata what else was said of it: a{sv}, as {@code Values} reads it
     * @param ended told when nobody can connect any more, and nobody is connected
     */
    public Container(
            String path,
            Connection creator,
            String type,
            String name,
            Map<?, ?> metadata,
            Runnable ended) {
        this.path = path;
        this.creator = creator;
        this.uid = creator.peer().uid();
        this.type = type;
        this.name = name;
        this.metadata = metadata;
        this.ended = ended;
    }

    /** Lets its clients in. */
    public void listen(Connections all, Policies policies, UnixListener socket, String guid) {
        listener = new Listener(all, policies, socket, guid, this);
    }

    public String path() {
        return path;
    }

    /** The user who made it, and the only one who may connect. */
    public long uid() {
        return uid;
    }

    public String type() {
        return type;
    }

    public String name() {
        return name;
    }

    public Map<?, ?> metadata() {
        return metadata;
    }

    /** Who made it, while he is on the bus. */
    public @Nullable Connection creator() {
        return creator;
    }

    /** Those who have connected. */
    public List<Connection> connections() {
        return List.copyOf(connections);
    }

    /** Why a client is not let in, if it is not. */
    @Nullable String refuses(Peer peer, int most) {
        if (peer.uid() != uid) {
            return "%s is for user %d alone, who made it".formatted(path, uid);
        }
        return connections.size() < most
                ? null
                : "%s is %d, and as many are connected to %s"
                        .formatted(BusLimit.MAX_CONNECTIONS_PER_CONTAINER, most, path);
    }

    void joined(Connection connection) {
        connections.add(connection);
    }

    void left(Connection connection) {
        connections.remove(connection);
        endIfUnused();
    }

    /** Its creator has left the bus, and nobody else can stop it. */
    public void creatorLeft() {
        creator = null;
        stopListening();
    }

    /** Lets nobody in any more; whoever is connected stays. Idempotent. */
    public void stopListening() {
        if (listener != null) {
            listener.close();
            listener = null;
            endIfUnused();
        }
    }

    private void endIfUnused() {
        if (listener == null && connections.isEmpty()) {
            ended.run();
        }
    }
}
