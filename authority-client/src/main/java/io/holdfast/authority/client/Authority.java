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
 * The client of an authority, which decides whether a process is authorized for an action. For
 * servers that check their clients.
 *
 * <pre>{@code
 * Authority authority = Authority.connect();
 * …
 * try (Peer peer = connection.peer()) {
 *     boolean may = authority.isAuthorized(peer, "org.example.reboot", Map.of());
 * }
 * }</pre>
 *
 * <p>An action is named as in polkit's policy files, which define its defaults: {@code
 * org.example.reboot}. An authority does not decide about actions that are not defined.
 *
 * <p>It fails closed. Without an authority, without an answer, or with a peer that is not held by
 * pidfd the decision is a refusal, and {@link Decision#failure} says why. No check throws because
 * of a failure at run time; only a null among the arguments throws NullPointerException.
 *
 * <p>The first check connects to the authority, and a check after the connection was lost connects
 * again. A check waits at most 25 seconds, from the call to the answer. With {@link
 * Option#INTERACTIVE} it waits at most 25 seconds for a connection, and then at most a day for the
 * answer. Over Varlink, 64 checks can be under way (the system property {@code
 * io.holdfast.authority.connections}); further ones wait for these, within their time limit.
 *
 * <p>Safe for use by any thread. Keep one for the whole program and close it at the end: a new one
 * for each check would make a new connection for each check.
 */
public interface Authority extends AutoCloseable {
    /** The environment variable with the Varlink address of the authority, for {@link #connect}. */
    String ADDRESS_VARIABLE = "HOLDFAST_AUTHORITY";

    /** The interface of Holdfast's authority on Varlink, and the name of its socket. */
    String VARLINK_INTERFACE = "io.holdfast.Authority";

    /** The bus name of an authority. */
    String BUS_NAME = "org.freedesktop.PolicyKit1";

    /** The path of an authority's object on a bus. */
    String OBJECT_PATH = "/org/freedesktop/PolicyKit1/Authority";

    /** The interface of that object. */
    String BUS_INTERFACE = "org.freedesktop.PolicyKit1.Authority";

    /** The socket of Holdfast's system authority. */
    Path SYSTEM_SOCKET = Path.of("/run/holdfast", VARLINK_INTERFACE);

    /** The highest uid; the next number stands for no user. */
    long MAX_UID = 0xFFFF_FFFEL;

    /** An option of a check. */
    enum Option {
        /**
         * An authentication agent may ask a user to authenticate, however long that takes. Without
         * this option the answer is a {@linkplain Decision#isChallenge challenge} if an
         * authentication is required.
         */
        INTERACTIVE,
        /** The rules are evaluated for root too, who is otherwise authorized for everything. */
        ALWAYS,
        /**
         * The answer has an {@link Explanation}, if it comes from Holdfast's authority over Varlink
         * and this process belongs to root or to the authority's user.
         */
        EXPLAIN
    }

    /**
     * Returns the authority of the machine: that of {@code $HOLDFAST_AUTHORITY}, else Holdfast's if
     * its socket exists, else polkit on the system bus (polkit 124 or later, which supports
     * pidfds).
     *
     * @return the authority, owned by the caller; this does not connect, and the authority need not
     *     run
     * @throws IllegalArgumentException if the variable's value is no valid Varlink address
     * @throws io.holdfast.dbus.address.BusAddressException if {@code $DBUS_SYSTEM_BUS_ADDRESS} is
     *     malformed
     */
    static Authority connect() {
        return named().isPresent() || Files.exists(SYSTEM_SOCKET)
                ? overVarlink(varlinkAddress())
                : overBus(BusAddress.system());
    }

    /**
     * {@return the Varlink address in {@code $HOLDFAST_AUTHORITY}, else that of the system
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
     * Returns an authority on Varlink.
     *
     * @param address the address of the authority, as {@code /run/holdfast/io.holdfast.Authority}
     * @return the authority, owned by the caller; this does not connect, and the authority need not
     *     run
     * @throws IllegalArgumentException if the address is malformed
     */
    static Authority overVarlink(String address) {
        return new VarlinkAuthority(VarlinkAddress.parse(address), RemoteAuthority.TIMEOUT);
    }

    /**
     * Returns the authority on a message bus, polkit or Holdfast's.
     *
     * <pre>{@code
     * Authority.overBus(BusAddress.system())
     * }</pre>
     *
     * @param addresses the addresses of the bus, tried in turn
     * @return the authority, owned by the caller; this does not connect, and the authority need not
     *     run
     * @throws IllegalArgumentException if there is no address
     */
    static Authority overBus(List<BusAddress> addresses) {
        return new BusAuthority(addresses, ConnectionOptions.standard(), RemoteAuthority.TIMEOUT);
    }

    /**
     * Checks the authorization of the process at the other end of a connection, for the user that
     * it had when it connected.
     *
     * <p>The check is under way when this returns: the peer may be closed. Cancelling the future
     * cancels the check, and the authentication dialog that it has opened.
     *
     * @param peer the process, lent until this returns
     * @param action the action, as {@code org.example.reboot}
     * @param details the details of this case, for rules and dialogs; only root and the owners of
     *     the action may pass any, and Holdfast's authority accepts at most 256
     * @param options the options of the check
     * @return the decision; only a cancellation completes it with an exception
     */
    CompletableFuture<Decision> check(
            Peer peer, String action, Map<String, String> details, Option... options);

    /**
     * Checks the authorization of a process that is held by other means than a connection.
     *
     * @param process the process, lent until this returns
     * @param uid the user for whom the process acts, 0 to {@link #MAX_UID}: the uid that it had
     *     when it made its request. Never read it from the process itself, which may have executed
     *     a set-uid program since
     * @param action the action, as {@code org.example.reboot}
     * @param details the details of this case, for rules and dialogs; only root and the owners of
     *     the action may pass any, and Holdfast's authority accepts at most 256
     * @param options the options of the check
     * @return the decision; only a cancellation completes it with an exception
     */
    CompletableFuture<Decision> check(
            PidFd process, long uid, String action, Map<String, String> details, Option... options);

    /**
     * Checks as {@link #check(Peer, String, Map, Option...)} does, and waits for the answer; a
     * virtual thread parks.
     *
     * @param peer the process, lent until this returns
     * @param action the action, as {@code org.example.reboot}
     * @param details the details of this case
     * @param options the options of the check
     * @return whether the process is authorized; false for any failure. If the thread is or gets
     *     interrupted, the check is cancelled and the interrupt status stays set
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
     * Closes the connections; checks that are under way, and later ones, are refused. Does not wait
     * for a connect under way. Idempotent.
     */
    @Override
    void close();
}
