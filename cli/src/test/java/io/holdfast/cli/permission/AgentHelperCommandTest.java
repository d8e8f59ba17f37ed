package io.holdfast.cli.permission;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.Holdfast;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.address.BusAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the helper as a socket-activated process. The agent is a Perl script. */
@Timeout(120)
@Needs(programs = "perl")
class AgentHelperCommandTest {
    private static final String SECRET = "correct-staple-battery";
    private static final String AGENT =
            "use IO::Socket::UNIX; $| = 1; my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die; "
                    + "$s->print(qq{root\\ncookie\\n}); while (<$s>) { print; "
                    + "if (/^PAM_PROMPT/) { my $a = <STDIN>; exit unless defined $a; $s->print($a) } }";

    @TempDir Path folder;
    private Bus bus;
    private BusConnection authority;
    private UnixListener listener;
    private Child agent;
    private BufferedReader heard;
    private final List<Child> started = new ArrayList<>();

    @BeforeEach
    void listen() throws Exception {
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        authority = BusConnection.connect(bus.addresses().getFirst().toString());
        var _ =
                authority.export(
                        Authority.OBJECT_PATH,
                        BusInterface.named(PolicyKit1.HELPER_INTERFACE)
                                .method(
                                        PolicyKit1.BEGIN_ATTEMPT,
                                        "s(sa{sv})(sa{sv})",
                                        "",
                                        AgentHelperCommandTest::beginAttempt)
                                .build());
        var _ = authority.requestName(Authority.BUS_NAME);
        listener =
                UnixListener.listen(
                        UnixAddress.path(folder.resolve("socket")), SocketType.STREAM, 5);
        agent =
                keep(
                        Spawn.of("perl", "-e", AGENT, folder.resolve("socket").toString())
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .start());
        heard = reader(agent);
        service("auth [success=1 default=ignore] pam_exec.so quiet expose_authtok /bin/false");
    }

    private static List<?> beginAttempt(MethodCall call) {
        if (!call.string(0).equals("cookie")) {
            throw new DBusException(PolicyKit1.FAILED, "No session for cookie");
        }
        return List.of();
    }

    private void service(String auth) throws IOException {
        Files.writeString(
                folder.resolve("test"),
                auth + "\nauth requisite pam_deny.so\nauth required pam_permit.so\n");
    }

    @AfterEach
    void end() throws Exception {
        for (Child child : started) {
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.await();
            child.close();
        }
        listener.close();
        authority.close();
        bus.close();
    }

    private Child keep(Child child) {
        started.add(child);
        return child;
    }

    private static BufferedReader reader(Child child) {
        return new BufferedReader(new InputStreamReader(child.stdout(), UTF_8));
    }

    private List<String> command(String... more) {
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "agent-helper",
                                "--service=test",
                                "--pam-folder=" + folder,
                                "--bus=unix:path=" + folder.resolve("bus")));
        arguments.addAll(List.of(more));
        return ChildJvm.command(List.of(), Holdfast.class, arguments.toArray(String[]::new));
    }

    /** Starts the helper as a service manager does: the connection is descriptor 3. */
    private Child activated(String... more) throws Exception {
        try (UnixSocket connection = listener.accept()) {
            return keep(
                    Spawn.of(command(more))
                            .descriptor(3, connection.fd())
                            .environment("LISTEN_FDS", "1")
                            .environmentOfPid("LISTEN_PID")
                            .environmentOfId("LISTEN_PIDFDID")
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.pipe())
                            .stderr(Stdio.merged())
                            .start());
        }
    }

    private void type(String line) throws IOException {
        agent.stdin().write((line + "\n").getBytes(UTF_8));
        agent.stdin().flush();
    }

    private static String output(Child child) throws IOException {
        return new String(child.stdout().readAllBytes(), UTF_8);
    }

    @Test
    void theConnectionIsDescriptorThreeAndARefusalIsStatusTwo() throws Exception {
        Child helper = activated();
        assertThat(heard.readLine()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: ");
        type("wrong");

        assertThat(heard.readLine()).isEqualTo("FAILURE");
        assertThat(output(helper))
                .matches(
                        "(?s)holdfast: authentication of root failed, asked for by process .*:"
                                + " pam_authenticate: Authentication failure \\(7\\)\n");
        assertThat(helper.await()).isEqualTo(new Exit.Exited(2));
    }

    @Test
    void orItIsStandardInput() throws Exception {
        Child helper;
        try (UnixSocket connection = listener.accept()) {
            helper =
                    keep(
                            Spawn.of(command())
                                    .stdin(Stdio.descriptor(connection.fd()))
                                    .stdout(Stdio.descriptor(connection.fd()))
                                    .stderr(Stdio.devNull())
                                    .start());
        }
        assertThat(heard.readLine()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: ");
        type("wrong");
        assertThat(heard.readLine()).isEqualTo("FAILURE");
        assertThat(heard.readLine()).isNull();
        assertThat(helper.await()).isEqualTo(new Exit.Exited(2));
    }

    @Test
    void withoutAConnectionItSaysHowItIsStarted() throws Exception {
        Child helper =
                keep(
                        Spawn.of(command())
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.merged())
                                .start());
        assertThat(output(helper))
                .startsWith("holdfast: standard input is no connection of an agent")
                .contains("Accept=yes");
        assertThat(helper.await()).isEqualTo(new Exit.Exited(1));
    }

    @Test
    void aServiceThatIsNotThereIsSaid() throws Exception {
        Files.delete(folder.resolve("test"));
        Child helper = activated();

        assertThat(heard.readLine()).isEqualTo("FAILURE");
        assertThat(output(helper)).contains("PAM has no service test in " + folder);
        assertThat(helper.await()).isEqualTo(new Exit.Exited(1));
    }

    @Test
    void anAgentThatIsKilledEndsTheHelper() throws Exception {
        Child helper = activated();
        assertThat(heard.readLine()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: ");
        boolean killed = agent.signal(Signal.KILL);

        assertThat(killed).isTrue();
        assertThat(output(helper)).contains("the agent hung up before it sent an answer");
        assertThat(helper.await()).isEqualTo(new Exit.Exited(1));
    }

    /** PAM is blocked in a module, and cannot be cancelled. */
    @Test
    void anAgentThatIsKilledEndsTheHelperInTheMiddleOfAModule() throws Exception {
        Path running = blockingModule();
        Child helper = activated();
        Await.until(() -> Files.exists(running));
        boolean ignored = agent.signal(Signal.KILL);
        assertThat(output(helper)).containsPattern("the agent has (hung up|exited)");
        assertThat(helper.await()).isEqualTo(new Exit.Exited(1));
        Files.delete(running);
    }

    @Test
    void anAgentThatDoesNotAnswerRunsOutOfTime() throws Exception {
        Child helper = activated("--answer-time=1");
        assertThat(heard.readLine()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: ");

        assertThat(output(helper)).contains("within");
        assertThat(helper.await()).isEqualTo(new Exit.Exited(1));
    }

    /** Writes a PAM module that creates a file, and runs until it is deleted. */
    private Path blockingModule() throws Exception {
        Path running = folder.resolve("running");
        Path script = folder.resolve("block.sh");
        Files.writeString(
                script,
                "#!/bin/sh\ntouch %1$s\nwhile [ -e %1$s ]; do sleep 0.1; done\n"
                        .formatted(running));
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        service("auth optional pam_exec.so quiet " + script);
        return running;
    }

    /** PAM has the answer, and runs the next module. */
    @Test
    void aSecretIsNowhereInTheHeap() throws Exception {
        Path running = blockingModule();
        service(
                "auth optional pam_exec.so quiet expose_authtok /bin/true\n"
                        + "auth optional pam_exec.so quiet "
                        + folder.resolve("block.sh"));
        Child helper = activated();
        assertThat(heard.readLine()).isEqualTo("PAM_PROMPT_ECHO_OFF Password: ");
        type(SECRET);
        Await.until(() -> Files.exists(running));
        Path dump = folder.resolve("heap");
        Process jcmd =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home", ""), "bin", "jcmd")
                                        .toString(),
                                Integer.toString(helper.pidFd().pid()),
                                "GC.heap_dump",
                                "-all",
                                dump.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
        assertThat(jcmd.waitFor()).as(said).isZero();
        byte[] heap = Files.readAllBytes(dump);
        assertThat(contains(heap, "PAM_PROMPT_ECHO_OFF")).as("it is the heap").isTrue();
        assertThat(contains(heap, SECRET)).isFalse();
        Files.delete(running);
    }

    private static boolean contains(byte[] bytes, String text) {
        return new String(bytes, ISO_8859_1).contains(text);
    }
}
