package io.holdfast.varlink.server;

import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.json.JsonObject;

/**
 * Answers calls of one method.
 *
 * <p>A {@link VarlinkException} that it throws is the client's reply. Any other exception is a
 * fault of the service: it is logged, and the client gets {@code io.systemd.System} with the errno
 * of an {@link io.holdfast.core.ErrnoException}, else EIO.
 */
@FunctionalInterface
public interface MethodHandler {
    /**
     * Answers a call whose parameters fit the method's definition. Runs on the server's executor,
     * or where it has none on the connection's own virtual thread, where it may block; there it is
     * interrupted if the client of a {@code more} call hangs up.
     *
     * @param call the call
     * @return the parameters of the last reply
     * @throws Exception any, which is an error of the call
     */
    JsonObject handle(Call call) throws Exception;
}
