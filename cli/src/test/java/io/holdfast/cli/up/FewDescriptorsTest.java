package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.varlink.ManagerInterface;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that a manager with few descriptors still starts units while a user takes as many
 * descriptors as possible.
 */
@Timeout(180)
@Needs(root = true, programs = "prlimit")
class FewDescriptorsTest {
    private static final int LIMIT = 128;
    private static final long USER = 20001;

    @TempDir private Path folder;

    @Test
    void aUserWhoTakesWhatHeGetsHoldsUpNoStart() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path units = Files.createDirectory(folder.resolve("units"));
        for (String unit : List.of("first.service", "second.service")) {
            Files.writeString(
                    units.resolve(unit),
                    "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n");
        }
        String runtime = folder.resolve("run").toString();
        try (CommandProcess up =
                CommandProcess.start(
                        List.of("prlimit", "--nofile=" + LIMIT),
                        "up",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hffew" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "first")) {
            up.await("holdfast: ready");
            List<UnixSocket> taken =
                    takeWhatIsGiven(UnixAddress.path(Path.of(runtime, ManagerInterface.SOCKET)));
            up.await("user " + USER + " holds");
            for (String command : List.of("start", "restart")) {
                Invocation done = Invocation.of(command, "--runtime-dir", runtime, "second");
                assertThat(done.code()).as(done + "\n" + up.lines()).isZero();
            }
            taken.forEach(UnixSocket::close);
            Invocation status = Invocation.of("status", "--runtime-dir", runtime, "first");
            assertThat(status.out()).contains("active (running)");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines())
                    .filteredOn(line -> line.contains("user " + USER))
                    .hasSizeBetween(1, 4)
                    .allMatch(line -> line.contains("raise RLIMIT_NOFILE"));
        }
    }

    private static List<UnixSocket> takeWhatIsGiven(UnixAddress address) throws Exception {
        List<UnixSocket> taken = new ArrayList<>();
        AsUser.of(
                USER,
                () -> {
                    for (int i = 0; i < LIMIT; i++) {
                        UnixSocket socket = UnixSocket.connect(address, SocketType.STREAM);
                        taken.add(socket);
                        try {
                            int _ =
                                    socket.trySend(
                                            ByteBuffer.wrap(new byte[] {'{'}),
                                            List.of(socket.fd(), socket.fd()));
                        } catch (ErrnoException e) {
                            // refused already
                        }
                    }
                });
        return taken;
    }
}
