package io.holdfast.authority.agent;

import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where an agent finds a helper. */
public sealed interface HelperAddress {
    /** The name of a helper's socket in its folder. */
    String SOCKET = "agent-helper.socket";

    /** A socket that starts one for each connection: ours, and polkit's from 127 on. */
    record Socket(Path path) implements HelperAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /** A setuid program, as polkit has had it. */
    record Program(Path path) implements HelperAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    /**
     * The helper of the stack that a bus is of: its socket is beside that of the bus. Passwords go
     * there, so that both it and the folder must be root's or our own, and the folder nobody else's
     * to write to.
     */
    static Optional<HelperAddress> beside(BusAddress bus) {
        if (!(bus.transport() instanceof BusAddress.SocketFile file)) {
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
            return Optional.empty(); // there is none
        }
    }

    private static boolean isTrusted(Path path) throws IOException {
        Object uid = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        long owner = Integer.toUnsignedLong((Integer) uid);
        return owner == 0 || owner == Unistd.geteuid();
    }

    /** The known places: ours, polkit's socket, and its program where there is no socket. */
    List<HelperAddress> KNOWN =
            List.of(
                    new Socket(Path.of("/run/holdfast", SOCKET)),
                    new Socket(Path.of("/run/polkit", SOCKET)),
                    new Program(Path.of("/usr/lib/polkit-1/polkit-agent-helper-1")),
                    new Program(Path.of("/usr/libexec/polkit-1/polkit-agent-helper-1")));
}
