package io.holdfast.authority.client;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.varlink.VarlinkAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * An authority: it decides whether a process may do something. For servers that want to know it of
 * their clients.
 *
 * <pre>{@code
 * Authority authority = Authority.connect();
 * …
 * try (Peer peer = connection.peer()) {
 *     boolean may = authority.isAuthorized(peer, "org.example.reboot", Map.of());
 * }
 * }</pre>
 *
 * <p>An action is named as in polkit's policy files, where its defaults stand: {@code
 * org.example.reboot}. An authority does not decide about actions that it does not know.
 *
 * <p>It fails closed. Without an authority, without an answer, or with a peer that is not held by
 * pidfd the decision is a refusal, and {@link Decision#failure} says why. No check throws for what
 * happens at run time; only a null among the arguments is thrown, as NullPointerException.
 *
 * <p>An authority is reached when it is asked first, and a connection that was lost is made again
 * by the next question. An answer that no user has to give is waited for at most 25 seconds, one
 * with {@link Option#INTERACTIVE} a day. Over Varlink, 64 questions can be under way (the system
 * property {@code io.holdfast.authority.connections}); further ones wait for these.
 *
 * <p>Safe for use by any thread. Close it with the program: one for each question would be a
 * connection for each question.
 */
public interface Authority extends AutoCloseable {
    /**
     * The environment variable with the Varlink address of the authority that {@link #connect}
     * takes.
     */
    String ADDRESS_VARIABLE = "HOLDFAST_AUTHORITY";

    /** The interface of Holdfast's authorities on Varlink, and the name of their sockets. */
    String VARLINK_INTERFACE = "io.holdfast.Authority";

    /** The name that an authority owns on a bus. */
    String BUS_NAME = "org.freedesktop.PolicyKit1";

    /** The path of the object that an authority has on a bus. */
    String OBJECT_PATH = "/org/freedesktop/PolicyKit1/Authority";

    /** The interface of that object. */
    String BUS_INTERFACE = "org.freedesktop.PolicyKit1.Authority";

    /** The socket of Holdfast's own authority of the machine. */
    Path SYSTEM_SOCKET = Path.of("/run/holdfast", VARLINK_INTERFACE);

    /** The highest number of a user; the next one stands for no user. */
    long MAX_UID = 0xFFFF_FFFEL;

    /** How a question is to be answered. */
    enum Option {
        /**
         * An authentication agent may ask a user to authenticate, however long that takes. Without
         * it the answer is a {@linkplain Decision#isChallenge challenge} where somebody would have
         * to.
         */
        INTERACTIVE,
        /** The rules are asked about root, too, who may do everything otherwise. */
        ALWAYS,
        /**
         * The answer comes with an {@link Explanation}, if it is Holdfast's authority over Varlink
         * and this process is root's or of the authority's user.
         */
        EXPLAIN
    }

    /**
     * Takes the authority of the machine: that of {@code $HOLDFAST_AUTHORITY}, else Holdfast's own
     * where there is one, else polkit's on the system bus (from version 124 on, which takes
     * pidfds).
     *
     * @return the authority, owned by the caller; it is not asked yet, and need not be there
     * @throws IllegalArgumentException if what the variable has is no Varlink address
     * @throws io.holdfast.dbus.address.BusAddressException if {@code $DBUS_SYSTEM_BUS_ADDRESS} is
     *     malformed
     */
    static Authority connect() {
        return named().isPresent() || Files.exists(SYSTEM_SOCKET)
                ? overVarlink(varlinkAddress())
                : overBus(BusAddress.system());
    }

    /**
     * {@return the Varlink address of {@code $HOLDFAST_AUTHORITY}, else of the machine's own
     * authority}
     */
    static String varlinkAddress() {
        return named().orElse(SYSTEM_SOCKET.toString());
    }

    private static Optional<String> named() {
        return Optional.ofNullable(System.getenv(ADDRESS_VARIABLE))
                .filter(address -> !address.isEmpty());
    }

    /**
     * Takes an authority on Varlink.
     *
     * @param address where it listens, as {@code /run/holdfast/io.holdfast.Authority}
     * @return the authority, owned by the caller; it is not asked yet, and need not be there
     * @throws IllegalArgumentException if that is no Varlink address
     */
    static Authority overVarlink(String address) {
        return new VarlinkAuthority(VarlinkAddress.parse(address));
    }

    /**
     * Takes the authority on a message bus, polkit's or Holdfast's.
     *
     * <pre>{@code
     * Authority.overBus(BusAddress.system())
     * }</pre>
     *
     * @param addresses of the bus; they are tried in their order
     * @return the authority, owned by the caller; it is not asked yet, and need not be there
     */
    static Authority overBus(List<BusAddress> addresses) {
        return new BusAuthority(addresses, ConnectionOptions.DEFAULT);
    }

    /**
     * Asks about the process at the other end of a connection, for the user that it connected as.
     *
     * <p>The question is under way when this returns: the peer may be closed. Cancelling the answer
     * ends the question, and the dialog that it has led to.
     *
     * @param peer lent until this returns
     * @param action what the process wants to do, as {@code org.example.reboot}
     * @param details what there is to know of this case, for rules and dialogs; only root and the
     *     owners of the action may give any, and Holdfast's authority takes at most 256
     * @param options how the question is to be answered
     * @return the decision, which only a cancellation completes with an exception
     */
    CompletableFuture<Decision> check(
            Peer peer, String action, Map<String, String> details, Option... options);

    /**
     * Asks about a process that is held by other means than a connection.
     *
     * @param process lent until this returns
     * @param uid the user for whom the process acts, 0 to {@link #MAX_UID}: the one that it had
     *     when it asked for what it wants. Never read it from the process itself, which may have
     *     executed a set-uid program since
     * @param action what the process wants to do, as {@code org.example.reboot}
     * @param details what there is to know of this case, for rules and dialogs; only root and the
     *     owners of the action may give any, and Holdfast's authority takes at most 256
     * @param options how the question is to be answered
     * @return the decision, which only a cancellation completes with an exception
     */
    CompletableFuture<Decision> check(
            PidFd process, long uid, String action, Map<String, String> details, Option... options);

    /**
     * Asks as {@link #check(Peer, String, Map, Option...)} does, and waits for the answer; a
     * virtual thread parks.
     *
     * @param peer lent until this returns
     * @param action what the process wants to do, as {@code org.example.reboot}
     * @param details what there is to know of this case
     * @param options how the question is to be answered
     * @return false for whatever is not a clear yes. If the thread is or gets interrupted the
     *     question is cancelled, and the thread stays interrupted
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

    /**
     * Closes the connections; questions that are under way, and later ones, are refused.
     * Idempotent.
     */
    @Override
    void close();
}
