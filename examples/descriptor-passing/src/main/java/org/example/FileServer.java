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
 * Opens a file for each client that has no permission to open it: {@code java -jar
 * descriptor-passing.jar SOCKET FILE}.
 *
 * <p>The client receives the open file, for reading only; it gets no access to the path or to other
 * files.
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
                    Fd descriptor = file.fd(); // stays ours: the client gets a duplicate
                    client.send(ByteBuffer.wrap(new byte[1]), List.of(descriptor));
                }
            }
        }
    }
}
