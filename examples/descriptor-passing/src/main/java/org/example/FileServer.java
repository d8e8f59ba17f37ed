package org.example;

import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens one file for each client, which may not open it itself: {@code java -jar
 * descriptor-passing.jar SOCKET FILE}.
 *
 * <p>What the client gets is the open file, for reading alone: no path, and no other file.
 */
public final class FileServer {
    private static final int BACKLOG = 16;
    private static final int EVERYBODY = 0666;

    private FileServer() {}

    static void main(String[] arguments) throws InterruptedException, FileException {
        UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
        try (UnixListener listener =
                UnixListener.listen(address, SocketType.STREAM, BACKLOG, EVERYBODY)) {
            System.out.println("ready");
            while (true) {
                try (UnixSocket client = listener.accept();
                        OpenedFile file = OpenedFile.open(arguments[1], OpenHow.reading())) {
                    Fd descriptor = file.fd(); // lent: the client gets a duplicate
                    client.send(ByteBuffer.wrap(new byte[1]), List.of(descriptor));
                }
            }
        }
    }
}
