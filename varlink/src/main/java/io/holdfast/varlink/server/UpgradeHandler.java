package io.holdfast.varlink.server;

import io.holdfast.core.socket.UnixSocket;
import io.holdfast.varlink.json.JsonObject;

/**
 * Answers calls that turn their connection over to another protocol. Exceptions are treated as
 * those of a {@link MethodHandler}.
 */
@FunctionalInterface
public interface UpgradeHandler {
    /**
     * Answers a call whose parameters fit the method's definition. Runs where a {@link
     * MethodHandler} runs.
     *
     * @param call the call
     * @return the last reply, and what speaks after it
     * @throws Exception any, which is an error of the call
     */
    Upgrade handle(Call call) throws Exception;

    /**
     * The last Varlink reply and what comes after it.
     *
     * @param reply its parameters
     * @param next speaks the protocol that follows
     */
    record Upgrade(JsonObject reply, Protocol next) {}

    /** Another protocol. */
    @FunctionalInterface
    interface Protocol {
        /**
         * Speaks it, on the connection's own virtual thread, from the first byte behind the call.
         * The socket is closed on return; until then it counts as a connection of the server, whose
         * {@code close()} closes it.
         *
         * @param socket the socket
         * @throws Exception any, which is an error of the call
         */
        void speak(UnixSocket socket) throws Exception;
    }
}
