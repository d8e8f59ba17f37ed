package org.example;

import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * Prints the file that the server has opened for it: {@code java -cp descriptor-passing.jar
 * org.example.FileClient SOCKET}.
 */
public final class FileClient {
    private FileClient() {}

    static void main(String[] arguments) throws IOException, InterruptedException {
        UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
        try (UnixSocket server = UnixSocket.connect(address, SocketType.STREAM);
                Ancillary beside = Ancillary.ofDescriptors(1)) { // closes descriptors not taken
            server.receive(ByteBuffer.allocate(1), beside);
            Fd file = beside.takeDescriptors().getFirst();
            try (FdInputStream content = new FdInputStream(file)) {
                content.transferTo(System.out);
            }
        }
    }
}
