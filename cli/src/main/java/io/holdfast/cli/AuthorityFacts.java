package io.holdfast.cli;

import io.holdfast.authority.action.ActionFolders;
import io.holdfast.authority.agent.HelperAddress;
import io.holdfast.authority.rules.RuleFiles;
import io.holdfast.cli.DoctorCommand.Fact;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.address.BusAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The facts of {@code doctor} about an authority and its agents: what they would find on this
 * machine. Of all programs, only the authentication helper is started to collect them.
 */
final class AuthorityFacts {
    private static final String PAM = "libpam.so.0";
    private static final Duration HELPER_START = Duration.ofSeconds(20);
    private static final String NOT_STARTED =
            " whose helper does not start (see the output of holdfast up, or its journal): ";
    private static final String UNIX_PATH = "unix:path=";

    /**
     * The default folders of the dynamic loader, without those that its configuration adds
     * (ld.so(8)).
     */
    private static final List<String> LIBRARIES =
            List.of(
                    "/usr/lib/x86_64-linux-gnu",
                    "/usr/lib/aarch64-linux-gnu",
                    "/lib/x86_64-linux-gnu",
                    "/lib/aarch64-linux-gnu",
                    "/usr/lib64",
                    "/lib64",
                    "/usr/lib",
                    "/lib");

    private static final List<String> PAM_FOLDERS =
            List.of("/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d");

    private AuthorityFacts() {}

    static List<Fact> facts() throws InterruptedException {
        return List.of(
                new Fact("system bus", bus()),
                new Fact("actions", files(ActionFolders.STANDARD, ".policy")),
                new Fact("rules", files(RuleFiles.STANDARD_FOLDERS, ".rules")),
                new Fact("pam", pam()),
                new Fact("helper", helper()));
    }

    private static String bus() throws InterruptedException {
        String address = BusAddress.system().getFirst().toString();
        int end = address.indexOf(',');
        String path =
                address.startsWith(UNIX_PATH)
                        ? address.substring(UNIX_PATH.length(), end < 0 ? address.length() : end)
                        : "";
        if (path.isEmpty()) {
            return address + ", not tried";
        }
        try (UnixSocket _ =
                UnixSocket.connect(UnixAddress.path(Path.of(path)), SocketType.STREAM)) {
            return path + ", reachable";
        } catch (ErrnoException | IllegalArgumentException e) {
            return path + ", not reachable: " + e.getMessage();
        }
    }

    private static String files(List<Path> folders, String suffix) {
        long count = 0;
        List<String> closed = new ArrayList<>();
        for (Path folder : folders) {
            try (Stream<Path> files = Files.list(folder)) {
                count += files.filter(file -> file.toString().endsWith(suffix)).count();
            } catch (NoSuchFileException e) {
                // a missing folder counts as an empty one
            } catch (IOException e) {
                closed.add(folder.toString());
            }
        }
        return (count == 1 ? "1 file" : count + " files")
                + (closed.isEmpty() ? "" : "; not readable: " + String.join(", ", closed));
    }

    private static String pam() {
        String service =
                find(PAM_FOLDERS, "polkit-1")
                        .map(file -> "service " + file)
                        .orElse("no service polkit-1: agents cannot authenticate");
        return find(LIBRARIES, PAM)
                .map(library -> library + ", " + service)
                .orElse("no " + PAM + " in the standard folders, " + service);
    }

    private static Optional<Path> find(List<String> folders, String name) {
        return folders.stream()
                .map(folder -> Path.of(folder, name))
                .filter(Files::exists)
                .findFirst();
    }

    private static String helper() throws InterruptedException {
        for (HelperAddress address : HelperAddress.KNOWN) {
            switch (address) {
                case HelperAddress.Socket(Path path) when Files.exists(path) -> {
                    return path + ", a socket" + started(path);
                }
                case HelperAddress.Program(Path path) when Files.exists(path) -> {
                    return path + ", a program";
                }
                default -> {}
            }
        }
        return "none; start one with: holdfast up";
    }

    /**
     * Starts a helper: it answers an agent that sends nothing, unless the service manager cannot
     * start it.
     */
    private static String started(Path socket) throws InterruptedException {
        try (UnixSocket helper = UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM)) {
            helper.shutdownOutput();
            if (Readiness.await(helper.fd(), Readiness.IN, HELPER_START) == 0) {
                return " whose helper does not start within " + HELPER_START.toSeconds() + " s";
            }
            return helper.inputStream().read() >= 0
                    ? ", its helper starts"
                    : NOT_STARTED + "the connection is closed";
        } catch (ErrnoException | IOException e) {
            return NOT_STARTED + e.getMessage();
        }
    }
}
