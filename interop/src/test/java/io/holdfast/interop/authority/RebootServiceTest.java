package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.client.Authority;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An example service works with any authority, without knowing which one. So does the code in
 * docs/library.md.
 */
@ParameterizedClass(name = "{0}")
@EnumSource
@Timeout(180)
@Needs(
        root = true,
        cgroup2 = true,
        features = Feature.PEER_PIDFD,
        programs = {"dbus-daemon", "unshare", "mount"})
class RebootServiceTest {
    private static final Path EXAMPLE =
            Path.of("../examples/varlink-reboot/src/main/java/org/example/RebootService.java");

    /** The authority that decides. */
    enum Decider {
        OURS_OVER_VARLINK,
        OURS_OVER_DBUS,
        POLKITD
    }

    private static final String IMPORTS =
            """
            import io.holdfast.authority.client.*;
            import io.holdfast.core.socket.*;
            import java.nio.file.Path;
            import java.util.Map;
            """;

    /** The code around the text of docs/library.md. */
    private static final String PROGRAM =
            IMPORTS
                    + """
                    static void serve(UnixSocket connection) throws Exception {
                    %s
                    }
                    static void reboot() {
                        System.out.println("rebooted");
                    }
                    void main(String[] arguments) throws Exception {
                        UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
                        try (UnixListener listener =
                                UnixListener.listen(address, SocketType.STREAM, 8, 0666)) {
                            System.out.println("ready");
                            while (true) {
                                try (UnixSocket connection = listener.accept()) {
                                    serve(connection);
                                    System.out.println("served");
                                }
                            }
                        }
                    }
                    """;

    @TempDir private static Path classes;

    @Parameter Decider decider = Decider.POLKITD;
    @TempDir private Path folder;
    private TwoAuthorities stage;
    private long permitted;
    private long unknown;
    private final List<Child> started = new ArrayList<>();

    @BeforeAll
    static void compile() throws IOException {
        Path shown = Files.writeString(classes.resolve("Shown.java"), PROGRAM.formatted(shown()));
        ChildJvm.compile(classes, List.of(EXAMPLE, shown));
    }

    @BeforeEach
    void start() throws Exception {
        stage = TwoAuthorities.start(folder, PolicySources.installed());
        permitted = stage.role(TwoAuthorities.PLAIN).uid();
        unknown = permitted + 1_000;
    }

    @AfterEach
    void stop() {
        for (Child child : started) {
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.onExit().join();
            child.close();
        }
        if (stage != null) {
            stage.close();
        }
    }

    private AuthorityUnderTest underTest() {
        return decider == Decider.POLKITD ? stage.theirs() : stage.ours();
    }

    /** Starts a service where it finds the authority, and waits until it listens. */
    private BufferedReader service(List<String> command) throws IOException {
        Spawn spawn =
                stage.program(command)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("service.log")));
        spawn =
                decider == Decider.OURS_OVER_VARLINK
                        ? spawn.environment(
                                Authority.ADDRESS_VARIABLE, stage.varlinkSocket().toString())
                        : spawn.environment("DBUS_SYSTEM_BUS_ADDRESS", underTest().address());
        Child child = spawn.start();
        started.add(child);
        BufferedReader said = new BufferedReader(new InputStreamReader(child.stdout(), UTF_8));
        assertThat(said.readLine())
                .as(() -> "see " + folder.resolve("service.log"))
                .isEqualTo("ready");
        return said;
    }

    // ---- the service

    private void reboot(Path socket, long uid, String unit) throws Exception {
        AsUser.of(
                uid,
                () -> {
                    try (VarlinkClient client = VarlinkClient.connect(socket.toString())) {
                        var _ =
                                client.call(
                                        "org.example.Reboot.Reboot", JsonObject.of("unit", unit));
                    }
                });
    }

    private static void assertDenied(ThrowingCallable call) {
        assertThatExceptionOfType(VarlinkException.class)
                .isThrownBy(call)
                .satisfies(e ->
                        assertThat(e.error())
                                .isEqualTo(VarlinkException.permissionDenied().error()));
    }

    @Test
    void whoMayIsServedAndWhoMayNotIsRefused() throws Exception {
        Path socket = folder.resolve("service");
        BufferedReader said =
                service(ChildJvm.compiled(classes, "org.example.RebootService", socket.toString()));

        reboot(socket, permitted, "a.service");
        assertThat(said.readLine()).isEqualTo("rebooted a.service");
        assertDenied(() -> reboot(socket, permitted, "b.service"));
        assertThat(said.readLine()).isEqualTo("refused: not authorized");
        assertDenied(() -> reboot(socket, unknown, "a.service"));
        assertThat(said.readLine()).isEqualTo("refused: not authorized");

        underTest().end();
        assertDenied(() -> reboot(socket, permitted, "a.service"));
        assertThat(said.readLine())
                .as("that there is no authority")
                .startsWith("refused: ")
                .isNotEqualTo("refused: not authorized");
    }

    // ---- docs/library.md

    private static String shown() throws IOException {
        String page = Files.readString(Path.of("../docs/library.md"));
        int found = page.indexOf("Authority.connect()");
        assertThat(found).as("docs/library.md shows a check").isPositive();
        int from = page.lastIndexOf("```java\n", found) + "```java\n".length();
        return page.substring(from, page.indexOf("```", from));
    }

    private void connect(Path socket, long uid) throws Exception {
        AsUser.of(
                uid, () -> UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM).close());
    }

    @Test
    void whatTheFrontPageShowsCompilesAndRefusesStrangers() throws Exception {
        Path socket = folder.resolve("shown");
        BufferedReader said = service(ChildJvm.compiled(classes, "Shown", socket.toString()));

        connect(socket, permitted);
        assertThat(said.readLine()).isEqualTo("rebooted");
        assertThat(said.readLine()).isEqualTo("served");
        connect(socket, unknown);
        assertThat(said.readLine()).isEqualTo("served");
        underTest().end();
        connect(socket, permitted);
        assertThat(said.readLine()).as("refused without an authority").isEqualTo("served");
    }
}
