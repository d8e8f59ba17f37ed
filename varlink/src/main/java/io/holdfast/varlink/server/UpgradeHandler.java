package io.holdfast.varlink.server;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.varlink.json.JsonObject;

/**
 * The handler of a method that upgrades its connection to another protocol. Exceptions are treated
 * like those of a {@link CallHandler}.
 */
@FunctionalInterface
public interface UpgradeHandler {
    /**
     * Answers a call whose parameters fit the method's definition. Runs where a {@link CallHandler}
     * would run.
     *
     * @param call the call
     * @return the last reply, and the protocol that follows it
     * @throws Exception any failure, which becomes the error reply
     */
    Upgrade handle(Call call) throws Exception;

    /**
     * The last Varlink reply and the protocol that follows it.
     *
     * @param reply the parameters of the reply
     * @param next speaks the protocol that follows
     */
    record Upgrade(JsonObject reply, Protocol next) {}

    /** Another protocol. */
    @FunctionalInterface
    interface Protocol {
        /**
         * Speaks the protocol, on the connection's own virtual thread, from the first byte behind
         * the call. The socket is closed on return; until then it counts as a connection of the
         * server, whose {@code close()} closes it.
         *
         * @param socket the socket, lent until this returns
         * @throws Exception any failure, which is logged
         */
        void speak(UnixSocket socket) throws Exception;
    }
}
