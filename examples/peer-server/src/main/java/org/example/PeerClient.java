package org.example;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Prints the answer of the server: {@code java -cp peer-server.jar org.example.PeerClient SOCKET}.
 */
public final class PeerClient {
    private PeerClient() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
        try (UnixSocket server = UnixSocket.connect(address, SocketType.STREAM)) {
            server.inputStream().transferTo(System.out);
        }
    }
}
