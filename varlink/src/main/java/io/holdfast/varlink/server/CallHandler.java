package io.holdfast.varlink.server;

import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.json.JsonObject;

/**
 * The handler of a method.
 *
 * <p>A {@link VarlinkException} that it throws becomes the error reply. Any other exception is a
 * fault of the service: it is logged, and the client gets {@code io.systemd.System} with the errno
 * of an {@link io.holdfast.core.ErrnoException}, else EIO.
 */
@FunctionalInterface
public interface CallHandler {
    /**
     * Answers a call whose parameters fit the method's definition. Runs on the server's executor,
     * or without one on the connection's own virtual thread. There it may block, and is interrupted
     * if the client of a {@code more} call hangs up.
     *
     * @param call the call
     * @return the parameters of the last reply
     * @throws Exception any failure, which becomes the error reply
     */
    JsonObject handle(Call call) throws Exception;
}
