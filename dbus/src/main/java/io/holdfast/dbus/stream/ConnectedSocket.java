package io.holdfast.dbus.stream;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.address.transport.Transport;
import io.holdfast.dbus.address.transport.Transport.AbstractSocket;
import io.holdfast.dbus.address.transport.Transport.Folder;
import io.holdfast.dbus.address.transport.Transport.Inherited;
import io.holdfast.dbus.address.transport.Transport.Program;
import io.holdfast.dbus.address.transport.Transport.RuntimeSocket;
import io.holdfast.dbus.address.transport.Transport.SocketFile;
import io.holdfast.dbus.address.transport.Transport.Unsupported;
import java.time.Duration;
import java.util.Optional;

/**
 * A socket that is connected to a server, not authenticated yet, and the program behind it if one
 * was started ({@code unixexec:}): the program sees the end of its input when the socket is closed,
 * and is reaped automatically.
 */
public record ConnectedSocket(UnixSocket socket, Optional<Child> program) implements AutoCloseable {
    /**
     * Connects to a server, or starts it.
     *
     * @param limit the time limit for connect(2)
     * @throws BusAddressException if it is impossible to connect to such an address
     * @throws ErrnoException ENOENT, ECONNREFUSED (no process listens), EACCES, ETIMEDOUT (the
     *     listener does not accept); for a program, the error of exec
     */
    public static ConnectedSocket connect(BusAddress address, Duration limit)
            throws InterruptedException {
        return switch (Transport.of(address)) {
            case SocketFile(var path) -> connect(path, limit);
            case AbstractSocket(var name) -> connect(name, limit);
            case Program program -> run(program);
            case Folder _, RuntimeSocket _, Inherited _ ->
                    throw refused(address, "an address to listen on");
            case Unsupported unsupported -> throw refused(address, unsupported.reason());
        };
    }

    private static BusAddressException refused(BusAddress address, String reason) {
        return new BusAddressException("cannot connect to \"" + address + "\": " + reason);
    }

    private static ConnectedSocket connect(UnixAddress address, Duration limit)
            throws InterruptedException {
        return new ConnectedSocket(
                UnixSocket.connect(address, SocketType.STREAM, limit), Optional.empty());
    }

    private static ConnectedSocket run(Program program) {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket theirs = pair[1]) {
            Spawn spawn = Spawn.of(program.path()).arguments(program.arguments());
            program.name().ifPresent(spawn::argumentZero);
            Child child =
                    spawn.stdin(Stdio.descriptor(theirs.fd()))
                            .stdout(Stdio.descriptor(theirs.fd()))
                            .start();
            return new ConnectedSocket(pair[0], Optional.of(child));
        } catch (RuntimeException e) {
            pair[0].close();
            throw e;
        }
    }

    @Override
    public void close() {
        socket.close();
        program.ifPresent(Child::close);
    }
}
