package io.holdfast.cli.log;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.receiver.Receiver;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The Varlink interface of journald, by which {@code journalctl --sync} and {@code --rotate} work.
 * Only root and the receiver's own user may connect, as to journald.
 */
final class JournalInterface {
    private static final int MODE = 0600;

    private static final String DEFINITION =
            """
            # The receiver of log messages, as in systemd-journald.
            interface io.systemd.Journal

            # Waits until all messages that were sent so far are stored.
            method Synchronize(offline: ?bool) -> ()

            # Begins new files.
            method Rotate() -> ()
            """;

    private JournalInterface() {}

    /**
     * Serves the interface of a receiver.
     *
     * @param socket made anew
     */
    static VarlinkServer serve(Receiver receiver, Path socket) throws IOException {
        VarlinkServer server =
                VarlinkServer.builder()
                        .limits(ServerLimits.small())
                        .identity("Holdfast", "holdfast", "0.1.0", "")
                        .service(
                                Service.of(Interface.parse(DEFINITION))
                                        .method(
                                                "Synchronize",
                                                _ -> {
                                                    receiver.synchronize();
                                                    return JsonObject.EMPTY;
                                                })
                                        .method(
                                                "Rotate",
                                                _ -> {
                                                    receiver.rotate();
                                                    return JsonObject.EMPTY;
                                                })
                                        .build())
                        .build();
        Files.deleteIfExists(socket); // of a receiver that was killed
        server.listen(UnixAddress.path(socket), MODE);
        socket.toFile().deleteOnExit(); // if SIGTERM comes before the loop waits for it
        return server;
    }
}
