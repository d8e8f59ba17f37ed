package io.holdfast.cli.log;

import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.receiver.Receiver;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.server.ServerLimits;
import io.holdfast.varlink.server.Service;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The Varlink interface of journald, by which {@code journalctl --sync}, {@code --rotate} and
 * {@code --flush} work. Only root and the receiver's own user may connect, as to journald. A
 * service manager may pass the socket, and start the receiver for a request.
 */
final class JournalInterface {
    private static final int MODE = 0600;
    private static final String NAME = "varlink"; // FileDescriptorName=

    private static final String DEFINITION =
            """
            # The receiver of log messages, as in systemd-journald.
            interface io.systemd.Journal

            # Waits until all messages that were sent so far are stored.
            method Synchronize(offline: ?bool) -> ()

            # Begins new files.
            method Rotate() -> ()

            # Does nothing: the receiver stores in /var/log/journal from its start, if that is there.
            method FlushToVar() -> ()
            """;

    private JournalInterface() {}

    /** Returns whether a descriptor that was passed is the socket of this interface. */
    static boolean isSocket(ListenFds.Named passed) {
        return passed.name().equals(NAME);
    }

    /**
     * Serves the interface of a receiver.
     *
     * @param folder of the socket, which is made anew if none was passed
     * @param passed sockets, owned by the server
     */
    static VarlinkServer serve(Receiver receiver, Path folder, List<ListenFds.Named> passed)
            throws IOException {
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
                                        .method("FlushToVar", _ -> JsonObject.EMPTY)
                                        .build())
                        .build();
        passed.forEach(each -> server.serve(UnixListener.adopt(each.fd())));
        if (!passed.isEmpty()) {
            return server;
        }
        Path socket = folder.resolve("io.systemd.journal");
        Files.deleteIfExists(socket); // of a receiver that was killed
        server.listen(UnixAddress.path(socket), MODE);
        socket.toFile().deleteOnExit(); // if SIGTERM comes before the loop waits for it
        return server;
    }
}
