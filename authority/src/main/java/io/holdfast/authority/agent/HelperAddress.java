package io.holdfast.authority.agent;

import java.nio.file.Path;
import java.util.List;

/** Where an agent finds a helper. */
public sealed interface HelperAddress {
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

    /** The known places: ours, polkit's socket, and its program where there is no socket. */
    List<HelperAddress> KNOWN =
            List.of(
                    new Socket(Path.of("/run/holdfast/agent-helper.socket")),
                    new Socket(Path.of("/run/polkit/agent-helper.socket")),
                    new Program(Path.of("/usr/lib/polkit-1/polkit-agent-helper-1")),
                    new Program(Path.of("/usr/libexec/polkit-1/polkit-agent-helper-1")));
}
