package io.holdfast.authority.agent;

import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.transport.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The address of a helper, for an agent. */
public sealed interface HelperAddress {
    /** The name of a helper's socket in its folder. */
    String SOCKET = "agent-helper.socket";

    /** A socket that starts a helper for each connection, as in Holdfast and polkit from 127. */
    record Socket(Path path) implements HelperAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /** A setuid program, as in earlier versions of polkit. */
    record Program(Path path) implements HelperAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * Finds the helper that belongs to a bus: its socket is in the folder of the bus's socket.
     * Passwords are sent there, so socket and folder must belong to root or to this process's user,
     * and no other user may be able to write to the folder.
     */
    static Optional<HelperAddress> beside(BusAddress bus) {
        if (!(Transport.of(bus) instanceof Transport.SocketFile file)) {
            return Optional.empty();
        }
        Path parent = Path.of(file.path().path()).toAbsolutePath().getParent();
        if (parent == null) {
            return Optional.empty();
        }
        try {
            Path folder = parent.toRealPath();
            Path socket = folder.resolve(SOCKET);
            boolean closed = ((Integer) Files.getAttribute(folder, "unix:mode") & 022) == 0;
            return closed && isTrusted(folder) && isTrusted(socket)
                    ? Optional.of(new Socket(socket))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // there is no such socket
        }
    }

    private static boolean isTrusted(Path path) throws IOException {
        Object uid = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        long owner = Integer.toUnsignedLong((Integer) uid);
        return owner == 0 || owner == Unistd.geteuid();
    }

    /** The known addresses: Holdfast's socket, polkit's socket, and polkit's program. */
    List<HelperAddress> KNOWN =
            List.of(
                    new Socket(Path.of("/run/holdfast", SOCKET)),
                    new Socket(Path.of("/run/polkit", SOCKET)),
                    new Program(Path.of("/usr/lib/polkit-1/polkit-agent-helper-1")),
                    new Program(Path.of("/usr/libexec/polkit-1/polkit-agent-helper-1")));
}
