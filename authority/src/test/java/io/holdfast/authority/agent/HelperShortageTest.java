package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.pam.PamService;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that a helper without free descriptors fails its dialog, and reports that to its agent. */
@Timeout(120)
@Needs(features = Feature.PEER_PIDFD)
class HelperShortageTest {
    private static final int LIMIT = 256;
    private static final int PLENTY = 64;
    private static final List<Integer> SPARES = List.of(PLENTY, 0, 1, 2, 3, 4, 6, 8, PLENTY);

    @TempDir private Path folder;

    /** {@code BUS SOCKET FOLDER}: serves one dialog for each number of free descriptors. */
    static final class InAFullTable {
        static void main(String[] arguments) throws Exception {
            AgentHelper helper =
                    new AgentHelper(
                            new PamService("test", Optional.of(Path.of(arguments[2]))),
                            BusAddress.parseList(arguments[0]),
                            Accounts.SYSTEM,
                            HelperLimits.DEFAULT,
                            _ -> {},
                            _ -> {});
            FullTable.limit(LIMIT, Fd.class, BusConnection.class, AgentHelper.class);
            try (UnixListener listener =
                    UnixListener.listen(
                            UnixAddress.path(Path.of(arguments[1])), SocketType.STREAM, 8)) {
                System.out.println("ready");
                for (int spare : SPARES) {
                    try (UnixSocket connection = listener.accept()) {
                        FullTable.fill(spare);
                        System.out.println(serve(helper, connection));
                    } finally {
                        FullTable.empty();
                    }
                }
            }
        }

        /** Serves a connection as the helper's process does. */
        private static AgentHelper.Outcome serve(AgentHelper helper, UnixSocket connection)
                throws InterruptedException {
            try (Peer peer = connection.peer()) {
                return helper.serve(connection, peer);
            } catch (ErrnoException e) {
                return AgentHelper.Outcome.FAILED;
            }
        }
    }

    @Test
    void itSucceedsOrFailsAndNeverHangs() throws Exception {
        Files.writeString(
                folder.resolve("test"),
                "auth required pam_permit.so\naccount required pam_permit.so\n");
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        Path socket = folder.resolve("helper");
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                FakeAuthority authority = new FakeAuthority(address.toString(), true)) {
            Process helper =
                    new ProcessBuilder(
                                    ChildJvm.command(
                                            List.of(),
                                            InAFullTable.class,
                                            bus.addresses().getFirst().toString(),
                                            socket.toString(),
                                            folder.toString()))
                            .redirectError(folder.resolve("log").toFile())
                            .start();
            try (BufferedReader said = helper.inputReader()) {
                assertThat(said.readLine())
                        .as(() -> "see " + folder.resolve("log"))
                        .isEqualTo("ready");
                for (int spare : SPARES) {
                    boolean authenticated = authenticate(socket);
                    String outcome = said.readLine();
                    assertThat(authenticated)
                            .as("%d to spare, and the helper says %s", spare, outcome)
                            .isEqualTo(outcome.equals("AUTHENTICATED"));
                    if (spare == 0 || spare == PLENTY) {
                        assertThat(authenticated).isEqualTo(spare == PLENTY);
                    }
                    assertThat(authority.responses).hasSize(authenticated ? 1 : 0);
                    authority.responses.forEach(each -> each.agent().forEach(PidFd::close));
                    authority.responses.clear();
                }
            } finally {
                assertThat(helper.waitFor()).isZero();
            }
        }
    }

    /** Authenticates as an agent of root, until the helper ends the dialog or hangs up. */
    private static boolean authenticate(Path socket) throws Exception {
        try (HelperSession session =
                HelperSession.open(List.of(new HelperAddress.Socket(socket)), "root", "1-c-2-d")) {
            while (true) {
                switch (session.dialog().next()) {
                    case HelperLine.Prompt _ ->
                            session.dialog().answer(ByteBuffer.wrap("none".getBytes(UTF_8)));
                    case HelperLine.Message _ -> {}
                    case HelperLine.End(boolean authenticated) -> {
                        return authenticated;
                    }
                }
            }
        } catch (IOException | ErrnoException e) {
            return false;
        }
    }
}
