package io.holdfast.bus.connection;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One app in a container (org.freedesktop.DBus.Containers1): every client of the socket that was
 * made for it belongs to that app, whatever the client claims. The bus reports the maker of the
 * socket, and what the maker said about the app, to every client that requests it. Only for the
 * bus's thread.
 */
public final class Container {
    /** The interface of the bus for containers. */
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
     * @param path the path of the object that represents it
     * @param type the type of the container: the program that made it, in the form of an interface
     *     name
     * @param name the name of the app, in the terms of that program
     * @param metadata more about the app: a{sv}, as {@code Values} reads it
     * @param ended called when no client can connect any more and none is connected
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

    /** Accepts clients of the app. */
    public void listen(Connections all, Policies policies, UnixListener socket, String guid) {
        listener = new Listener(all, policies, socket, guid, this);
    }

    public String path() {
        return path;
    }

    /** Returns the user that made it; only this user may connect. */
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

    /** Returns the connection that made it, while it is on the bus; else null. */
    public @Nullable Connection creator() {
        return creator;
    }

    /** Returns the clients that are connected. */
    public List<Connection> connections() {
        return List.copyOf(connections);
    }

    /** Returns why a client is refused, or null. */
    @Nullable String refuses(Peer peer, int most) {
        if (peer.uid() != uid) {
            return "%s accepts only its creator, user %d".formatted(path, uid);
        }
        return connections.size() < most
                ? null
                : "%s is %d, and as many clients are connected to %s"
                        .formatted(BusLimit.MAX_CONNECTIONS_PER_CONTAINER, most, path);
    }

    void joined(Connection connection) {
        connections.add(connection);
    }

    void left(Connection connection) {
        connections.remove(connection);
        endIfUnused();
    }

    /** Stops listening, because its creator has left the bus. */
    public void creatorLeft() {
        creator = null;
        stopListening();
    }

    /** Refuses new clients; connected ones stay. Idempotent. */
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
