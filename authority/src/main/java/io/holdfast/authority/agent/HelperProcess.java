package io.holdfast.authority.agent;

import io.holdfast.authority.pam.PamService;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.Stdlib;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The PAM helper as a process: what polkit has a setuid program for, as a service that a socket
 * starts for each connection of an agent. It is root, and who calls is asked of the connection.
 *
 * <p>Its unit: {@code Accept=yes} in the socket, {@code SuccessExitStatus=2} in the service. These
 * restrictions it bears: NoNewPrivileges (from root, unix_chkpwd is not needed),
 * ProtectSystem=strict (pam_faillock wants /run/faillock writable), ProtectHome, PrivateDevices,
 * PrivateNetwork (not with modules that ask servers), PrivateTmp, DevicePolicy=closed,
 * ProtectKernelTunables, ProtectKernelModules, ProtectKernelLogs, ProtectControlGroups=yes (it
 * reads its caller's), ProtectClock, ProtectHostname, RestrictNamespaces, RestrictRealtime,
 * RestrictSUIDSGID, LockPersonality, RestrictAddressFamilies=AF_UNIX,
 * SystemCallFilter=@system-service. Not MemoryDenyWriteExecute: no JVM starts under it, not even
 * one without a compiler. Not ProtectProc or PrivatePIDs, nor any other PID namespace: callers are
 * looked at.
 */
public final class HelperProcess {
    private static final List<String> KEPT = List.of("LANG", "LANGUAGE", "LC_MESSAGES", "PATH");
    private static final String PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
    private static final int STANDARD_ERROR = 2;

    private HelperProcess() {}

    /**
     * How it is set up.
     *
     * @param bus where the authority is
     * @param service the PAM service
     * @param folder of that service, where it is not the system's: for tests
     */
    public record Options(
            List<BusAddress> bus, String service, Optional<Path> folder, HelperLimits limits) {
        public Options {
            bus = List.copyOf(bus);
        }

        /** On the system bus, by PAM's service {@code polkit-1}. */
        public static Options system() {
            return new Options(
                    BusAddress.system(),
                    PamService.POLKIT.name(),
                    Optional.empty(),
                    HelperLimits.DEFAULT);
        }
    }

    /**
     * Serves the connection that this process was started for. Changes the process: its environment
     * is cleaned, and standard input and output become {@code /dev/null}, for modules may print.
     *
     * @param notices gets a line for each dialog that fails
     * @param end ends the process with status 1, after it has told the reason; called by another
     *     thread, if the agent goes away or the time is over while PAM works
     * @return the exit status: 0 authenticated, 1 something went wrong, 2 the user was refused
     * @throws IOException if there is no connection
     */
    public static int run(Options options, Consumer<String> notices, Consumer<String> end)
            throws IOException, InterruptedException {
        try (UnixSocket connection = ActivatedConnection.take(System.getenv());
                Peer peer = connection.peer()) {
            replaceStandardStreams();
            Stdlib.replaceEnvironment(environment(System.getenv()));
            AgentHelper helper =
                    new AgentHelper(
                            new PamService(options.service(), options.folder()),
                            options.bus(),
                            Accounts.SYSTEM,
                            options.limits(),
                            notices,
                            end);
            return helper.serve(connection, peer).status();
        } catch (ErrnoException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** What PAM modules get to see of our environment. */
    static Map<String, String> environment(Map<String, String> given) {
        Map<String, String> kept = new LinkedHashMap<>();
        kept.put("PATH", PATH);
        for (String name : KEPT) {
            String value = given.get(name);
            if (value != null) {
                kept.put(name, value);
            }
        }
        return kept;
    }

    private static void replaceStandardStreams() {
        @Nullable String connection = target(0);
        try (Fd nothing = Fcntl.open("/dev/null", Fcntl.O_RDWR)) {
            boolean errorToo = connection != null && connection.equals(target(STANDARD_ERROR));
            for (int stream = 0; stream <= (errorToo ? STANDARD_ERROR : 1); stream++) {
                Unistd.replaceStandard(stream, nothing);
            }
        }
    }

    private static @Nullable String target(int stream) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + stream)).toString();
            return target.startsWith("socket:") ? target : null;
        } catch (IOException e) {
            return null; // it is closed
        }
    }
}
