package io.holdfast.authority.client;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.varlink.VarlinkAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Who decides what may be done: for servers that want to know whether their clients may do what
 * they ask for.
 *
 * <pre>{@code
 * Authority authority = Authority.connect();
 * …
 * try (Peer peer = connection.peer()) {
 *     boolean may = authority.isAuthorized(peer, "org.example.reboot", Map.of());
 * }
 * }</pre>
 *
 * <p>It fails closed: if there is no authority, if it does not answer, or if the peer cannot be
 * held by pidfd, the answer is a refusal that says why ({@link Decision#failure}). A connection
 * that was lost is made again with the next question. Safe for use by any thread.
 */
public interface Authority extends AutoCloseable {
    /** The address of an authority on Varlink; set, it is the one that {@link #connect} takes. */
    String ADDRESS_VARIABLE = "HOLDFAST_AUTHORITY";

    /** The interface of Holdfast's authorities on Varlink, and the name of their sockets. */
    String VARLINK_INTERFACE = "io.holdfast.Authority";

    /** The name that an authority owns on a bus. */
    String BUS_NAME = "org.freedesktop.PolicyKit1";

    /** The path of its one object there. */
    String OBJECT_PATH = "/org/freedesktop/PolicyKit1/Authority";

    /** The interface of that object. */
    String BUS_INTERFACE = "org.freedesktop.PolicyKit1.Authority";

    /** Where Holdfast's own authority of the machine is. */
    Path SYSTEM_SOCKET = Path.of("/run/holdfast", VARLINK_INTERFACE);

    /** How a question is to be answered. */
    enum Option {
        /** An agent may ask somebody to authenticate, however long that takes. */
        INTERACTIVE,
        /** The rules are asked about root, too. */
        ALWAYS,
        /** The answer is to be explained, where the authority does that and we may know. */
        EXPLAIN
    }

    /**
     * The authority of the machine: that of {@code $HOLDFAST_AUTHORITY}, else Holdfast's own where
     * there is one, else polkit's on the system bus (from version 124 on, which takes pidfds). It
     * is reached when it is first asked.
     *
     * @throws IllegalArgumentException if what the variable has is no Varlink address
     */
    static Authority connect() {
        return named().isPresent() || Files.exists(SYSTEM_SOCKET)
                ? overVarlink(varlinkAddress())
                : overBus(BusAddress.system());
    }

    /** The Varlink address of {@code $HOLDFAST_AUTHORITY}, else of the machine's own authority. */
    static String varlinkAddress() {
        return named().orElse(SYSTEM_SOCKET.toString());
    }

    private static Optional<String> named() {
        return Optional.ofNullable(System.getenv(ADDRESS_VARIABLE))
                .filter(address -> !address.isEmpty());
    }

    /**
     * An authority on Varlink.
     *
     * @param address as {@code /run/holdfast/io.holdfast.Authority}
     * @throws IllegalArgumentException if that is none
     */
    static Authority overVarlink(String address) {
        return new VarlinkAuthority(VarlinkAddress.parse(address));
    }

    /** The authority on a message bus: polkit's, or ours. */
    static Authority overBus(List<BusAddress> addresses) {
        return new BusAuthority(addresses, ConnectionOptions.DEFAULT);
    }

    /**
     * Asks about the process at the other end of a connection.
     *
     * @param peer lent until this returns
     * @param details what there is to know of this case; only root and the action's owners may give
     *     any
     * @return never fails
     */
    CompletableFuture<Decision> check(
            Peer peer, String action, Map<String, String> details, Option... options);

    /**
     * Asks about a process that is held by other means than a connection.
     *
     * @param process lent until this returns
     * @param uid the user for whom it acts: the one that it had when it asked for what it wants.
     *     Never read it from the process itself, which may have executed a set-uid program since
     * @return never fails
     */
    CompletableFuture<Decision> check(
            PidFd process, long uid, String action, Map<String, String> details, Option... options);

    /**
     * Asks, and waits for the answer; virtual threads park.
     *
     * @return false for whatever is not a clear yes, also if the waiting is interrupted
     */
    default boolean isAuthorized(
            Peer peer, String action, Map<String, String> details, Option... options) {
        CompletableFuture<Decision> answer = check(peer, action, details, options);
        try {
            return answer.get().isAuthorized();
        } catch (InterruptedException e) {
            boolean ignored = answer.cancel(false);
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            return false;
        }
    }

    /** Lets go of the authority; questions that are under way are refused. */
    @Override
    void close();
}
