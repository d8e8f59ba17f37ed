package io.holdfast.authority.polkit1;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Authority.Option;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that an authority without free descriptors refuses what needs one, and keeps serving. */
@Timeout(180)
@Needs(features = Feature.PEER_PIDFD)
class AuthorityShortageTest {
    private static final int LIMIT = 512;
    private static final int MAX_SPARE = 8;

    @TempDir private Path folder;

    /** The authority: {@code BUS FOLDER SOCKET}, in a JVM whose descriptor table gets filled. */
    static final class SmallAuthority {
        static void main(String[] arguments) throws Exception {
            PolicyFolders folders = new PolicyFolders(Path.of(arguments[1]));
            try (BusPresence presence = BusPresence.on(BusAddress.parseList(arguments[0]), false);
                    AuthorityEngine engine =
                            AuthorityEngine.open(folders.options().withUnits(presence.units()));
                    AuthorityInterface face = AuthorityInterface.of(engine);
                    BufferedReader in =
                            new BufferedReader(new InputStreamReader(System.in, UTF_8))) {
                face.server().listen(UnixAddress.path(Path.of(arguments[2])));
                presence.serve(engine, () -> {});
                FullTable.limit(
                        LIMIT,
                        Fd.class,
                        BusConnection.class,
                        VarlinkServer.class,
                        AuthorityEngine.class);
                System.out.println("ready");
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    switch (line) {
                        case "count" -> System.out.println(OpenDescriptors.now().count());
                        case "empty" -> {
                            FullTable.empty();
                            System.out.println("empty");
                        }
                        default -> {
                            FullTable.fill(Integer.parseInt(line));
                            System.out.println("full");
                        }
                    }
                }
            }
        }
    }

    /** The authority's process, and the pipes by which the test controls it. */
    private record Program(Process process, BufferedReader output, Writer input) {
        String ask(String line) throws Exception {
            input.write(line + "\n");
            input.flush();
            return String.valueOf(output.readLine());
        }
    }

    private Program start(String bus, Path socket) throws Exception {
        new PolicyFolders(folder).action("a.yes", "yes").action("a.self", "auth_self");
        Process process =
                new ProcessBuilder(
                                ChildJvm.command(
                                        List.of(),
                                        SmallAuthority.class,
                                        bus,
                                        folder.toString(),
                                        socket.toString()))
                        .redirectError(folder.resolve("log").toFile())
                        .start();
        Program program = new Program(process, process.inputReader(), process.outputWriter());
        assertThat(program.output().readLine())
                .as(() -> "see " + folder.resolve("log"))
                .isEqualTo("ready");
        return program;
    }

    /** Checks over the bus; returns the answer, or the error that only this caller gets. */
    private static String onBus(BusConnection client, PidFd process, String action, int flags)
            throws InterruptedException {
        try {
            Struct answer =
                    (Struct)
                            client.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                                    .call(
                                            Authority.BUS_INTERFACE,
                                            "CheckAuthorization",
                                            "(sa{sv})sa{ss}us",
                                            PolkitSubject.held(process, 4711),
                                            action,
                                            Map.of(),
                                            flags,
                                            "")
                                    .getFirst();
            return answer.get(0) + " " + ((Map<?, ?>) answer.get(2)).keySet();
        } catch (DBusException e) {
            return e.name();
        }
    }

    private static CompletableFuture<Decision> ask(Authority authority, PidFd process) {
        return authority.check(process, 4711, "a.yes", Map.of(), new Option[0]);
    }

    private static void registerAgent(BusConnection agent, PidFd process)
            throws InterruptedException {
        var _ =
                agent.export(
                        "/agent",
                        BusInterface.named(PolicyKit1.AGENT_INTERFACE)
                                .concurrent()
                                .method(
                                        "BeginAuthentication",
                                        "sssa{ss}sa(sa{sv})",
                                        "",
                                        _ -> {
                                            throw new DBusException(
                                                    PolicyKit1.ERROR + "Cancelled", "meant");
                                        })
                                .method("CancelAuthentication", "s", "", _ -> List.of())
                                .build());
        var _ =
                agent.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                        .call(
                                Authority.BUS_INTERFACE,
                                "RegisterAuthenticationAgent",
                                "(sa{sv})ss",
                                PolkitSubject.held(process, 4711),
                                "C",
                                "/agent");
    }

    @Test
    void whoeverNeedsOneIsRefusedAndNobodyElse() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        Path socket = folder.resolve("socket");
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                PidFd self = PidFd.self()) {
            Program program = start(bus.addresses().getFirst().toString(), socket);
            try (BusConnection client = BusConnection.connect(address.toString());
                    Authority authority = Authority.overVarlink(socket.toString())) {
                registerAgent(client, self);
                assertServes(client, authority, self);
                String owner = client.owner(Authority.BUS_NAME).orElseThrow();
                int open = Integer.parseInt(program.ask("count"));
                int refused = 0;
                for (int spare = 0; spare <= MAX_SPARE; spare++) {
                    assertThat(program.ask(Integer.toString(spare))).isEqualTo("full");
                    String answer = onBus(client, self, "a.yes", 0);
                    refused += answer.startsWith("true") ? 0 : 1;
                    List<Object> actions =
                            client.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                                    .call(Authority.BUS_INTERFACE, "EnumerateActions", "s", "");
                    assertThat((List<?>) actions.getFirst()).as("needs none").hasSize(2);
                    Decision known = ask(authority, self).join();
                    refused += known.isAuthorized() ? 0 : 1;
                    try (Authority further = Authority.overVarlink(socket.toString())) {
                        CompletableFuture<Decision> late = ask(further, self);
                        assertThat(program.ask("empty")).isEqualTo("empty");
                        Decision decision = late.join(); // authorized now, or refused
                        assertThat(decision.isAuthorized() || decision.failure().isPresent())
                                .isTrue();
                    }
                    assertServes(client, authority, self);
                }
                assertThat(refused).isBetween(2, 2 * MAX_SPARE);
                assertThat(client.owner(Authority.BUS_NAME)).contains(owner);
                Await.until(() -> {
                    try {
                        return Integer.parseInt(program.ask("count")) <= open;
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
            } finally {
                program.input().close();
                assertThat(program.process().waitFor()).isZero();
            }
        }
    }

    private static void assertServes(BusConnection client, Authority varlink, PidFd process)
            throws InterruptedException {
        assertThat(onBus(client, process, "a.yes", 0)).startsWith("true");
        assertThat(onBus(client, process, "a.self", 1)).contains("polkit.dismissed");
        assertThat(ask(varlink, process).join().isAuthorized()).isTrue();
    }
}
