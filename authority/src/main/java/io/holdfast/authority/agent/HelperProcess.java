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
 * The PAM helper process. Polkit has a setuid program for it; this is a service that a socket unit
 * starts for each connection of an agent. It runs as root, and takes its caller from the
 * connection.
 *
 * <p>Its unit: {@code Accept=yes} in the socket, {@code SuccessExitStatus=2} in the service. It
 * works with these restrictions: NoNewPrivileges (root does not need unix_chkpwd),
 * ProtectSystem=strict (pam_faillock needs a writable /run/faillock), ProtectHome, PrivateDevices,
 * PrivateNetwork (not with modules that use servers), PrivateTmp, DevicePolicy=closed,
 * ProtectKernelTunables, ProtectKernelModules, ProtectKernelLogs, ProtectControlGroups=yes (it
 * reads its caller's), ProtectClock, ProtectHostname, RestrictNamespaces, RestrictRealtime,
 * RestrictSUIDSGID, LockPersonality, RestrictAddressFamilies=AF_UNIX,
 * SystemCallFilter=@system-service. It does not work with MemoryDenyWriteExecute: no JVM starts
 * under it, not even one without a compiler. Nor with ProtectProc, PrivatePIDs or any other PID
 * namespace: it has to see its callers' processes.
 */
public final class HelperProcess {
    private static final List<String> KEPT = List.of("LANG", "LANGUAGE", "LC_MESSAGES", "PATH");
    private static final String PATH = "/usr/sbin:/usr/bin:/sbin:/bin";
    private static final int STANDARD_ERROR = 2;

    private HelperProcess() {}

    /**
     * The configuration of a helper.
     *
     * @param bus the bus of the authority
     * @param service the name of the PAM service
     * @param folder of that service's file, if it is not the system's: for tests
     */
    public record Options(
            List<BusAddress> bus, String service, Optional<Path> folder, HelperLimits limits) {
        public Options {
            bus = List.copyOf(bus);
        }

        /** Returns the options for the system bus and PAM's service {@code polkit-1}. */
        public static Options system() {
            return new Options(
                    BusAddress.system(),
                    PamService.POLKIT.name(),
                    Optional.empty(),
                    HelperLimits.DEFAULT);
        }
    }

    /**
     * Serves the connection that this process was started for. It changes the process: cleans the
     * environment, and redirects standard input and output to {@code /dev/null}, as PAM modules may
     * print.
     *
     * @param notices logs a line for each dialog that fails
     * @param end has to report the reason and end the process with status 1; called on another
     *     thread, if the agent goes away or the time is over while PAM works
     * @return the exit status: 0 authenticated, 1 an error occurred, 2 the user was refused
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

    /** Returns the part of the environment that PAM modules may see. */
    static Map<String, String> environment(Map<String, String> given) {
        Map<String, String> passed = new LinkedHashMap<>();
        passed.put("PATH", PATH);
        for (String name : KEPT) {
            String value = given.get(name);
            if (value != null) {
                passed.put(name, value);
            }
        }
        return passed;
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
            return null; // the stream is closed
        }
    }
}
