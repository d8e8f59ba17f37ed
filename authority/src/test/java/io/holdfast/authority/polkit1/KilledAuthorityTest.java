package io.holdfast.authority.polkit1;

import static io.holdfast.authority.polkit1.AuthorityBusSetUp.AGENT_PATH;
import static io.holdfast.authority.polkit1.AuthorityBusSetUp.SUBJECT;
import static io.holdfast.authority.polkit1.AuthorityBusSetUp.USER;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests an authority that is killed, on a bus that lives on, and its successor. */
@Timeout(180)
@Needs(root = true)
class KilledAuthorityTest {
    @TempDir private Path folder;
    private TestBus bus;
    private ForeignParent parent;
    private int process;
    private BusConnection client;
    private BusConnection agent;
    private final BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private Child authority;
    private BufferedReader said;

    @BeforeEach
    void open() throws Exception {
        var _ =
                new PolicyFolders(folder)
                        .action("a.keep", "auth_self_keep")
                        .display(USER, "7", "seat0", "active");
        bus = AuthorityBusSetUp.holdfastBus(folder);
        parent = ForeignParent.start();
        process = parent.child("subject", "uid=" + USER);
        client = BusConnection.connect(bus.address());
        agent = BusConnection.connect(bus.address());
        agent.export(AGENT_PATH, AuthorityBusSetUp.agent(begun, end));
        start();
    }

    @AfterEach
    void close() throws Exception {
        end.countDown();
        kill();
        agent.close();
        client.close();
        parent.close();
        bus.close();
    }

    private void start() throws Exception {
        authority =
                Spawn.of(
                                ChildJvm.command(
                                        List.of("-Xmx96m"),
                                        AuthorityProgram.class,
                                        bus.address(),
                                        folder.toString(),
                                        folder.resolve("run").toString()))
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("log")))
                        .start();
        said = new BufferedReader(new InputStreamReader(authority.stdout(), UTF_8));
        assertThat(said.readLine()).isEqualTo("ready");
    }

    private void kill() throws Exception {
        boolean _ = authority.signal(Signal.KILL);
        assertThat(authority.await()).isInstanceOf(Exit.Killed.class);
        said.close();
        authority.close();
    }

    private String log() throws Exception {
        return Files.readString(folder.resolve("log"));
    }

    private static RemoteObject authority(BusConnection connection) {
        return connection.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
    }

    private Struct subject() {
        return AuthorityBusSetUp.numbered(process, (int) USER);
    }

    /**
     * Checks the same process by a pidfd: an authorization for a PID applies to no other process.
     */
    private Struct check(int flags) throws Exception {
        try (PidFd held = PidFd.open(process)) {
            return AuthorityBusSetUp.check(
                    authority(client), AuthorityBusSetUp.pidfd(held.fd()), "a.keep", flags);
        }
    }

    private CompletableFuture<Struct> asking() {
        CompletableFuture<Struct> answer = new CompletableFuture<>();
        Thread _ =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                answer.complete(check(1));
                            } catch (Exception e) {
                                answer.completeExceptionally(e);
                            }
                        });
        return answer;
    }

    private void respond(Object cookie) throws Exception {
        var _ =
                authority(client)
                        .call(
                                Authority.BUS_INTERFACE,
                                "AuthenticationAgentResponse2",
                                "us" + SUBJECT,
                                USER,
                                cookie,
                                AuthorityBusSetUp.user());
    }

    private void authenticate() throws Exception {
        CompletableFuture<Struct> answer = asking();
        respond(begun.take().get(4));
        end.countDown();
        assertThat(answer.join().get(0)).isEqualTo(true);
    }

    @Test
    void whatWasAuthenticatedForServesTheSameProcessAfterwards() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        authenticate();
        kill();
        start();
        assertThat(check(0).get(0)).isEqualTo(true);
        assertThat(log())
                .contains(
                        "restored 1 temporary authorizations of the previous authority (tmpauthz1); dropped 0 records");
    }

    @Test
    void itEndsWithTheProcessEvenIfNobodyWatches() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        authenticate();
        kill();
        assertThat(parent.kill(process, Signal.KILL)).isTrue();
        assertThat(parent.reap(process)).isNotNull();
        start();
        assertThat(log())
                .contains(
                        "restored 0 temporary authorizations of the previous authority (); dropped 1 records (tmpauthz1: process");
        Path state = folder.resolve("run/state");
        Await.until( // the agent and the authorization are dropped by different threads
                () -> state.toFile().list().length == 1);
        assertThat(state.resolve("ids")).exists();
    }

    @Test
    void anAgentIsRestoredAndAsked() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        kill();
        start();
        authenticate();
        assertThat(log()).contains("restored 1 agents of the previous authority");
        AuthorityBusSetUp.register(authority(agent), subject()); // as agents do after a restart
        assertThatThrownBy(() -> AuthorityBusSetUp.register(authority(agent), subject()))
                .hasMessageContaining("already exists");
    }

    @Test
    void anAgentThatHasGoneMeanwhileIsDropped() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        kill();
        agent.close();
        start();
        assertThat(log())
                .contains(
                        "restored 0 agents of the previous authority (); dropped 1 ("
                                + agent.uniqueName());
        assertThat(check(1).get(0)).as("nobody is there to be asked").isEqualTo(false);
    }

    @Test
    void anAgentWhoseProcessIsAnotherIsDropped() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        kill();
        try (var records = Files.list(folder.resolve("run/state"))) {
            for (Path record : records.toList()) {
                String text = Files.readString(record);
                Files.writeString(record, text.replaceAll("(?m)^(process \\d+:)\\d+", "$1" + 4711));
            }
        }
        start();
        assertThat(log()).contains("its bus name belongs to another process");
        assertThat(check(1).get(0)).isEqualTo(false);
    }

    @Test
    void aQuestionUnderWayIsRefusedAtOnceAndCanBeAskedAgain() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        CompletableFuture<Struct> answer = asking();
        Object cookie = begun.take().get(4);
        kill();
        assertThatThrownBy(answer::join)
                .cause()
                .isInstanceOfSatisfying(
                        DBusException.class,
                        refusal ->
                                assertThat(refusal.name())
                                        .isEqualTo("org.freedesktop.DBus.Error.NoReply"));
        start();
        assertThatThrownBy(() -> respond(cookie)).hasMessageContaining("No session for cookie");
        authenticate();
    }

    @Test
    void whoStopsItInOrderTakesAllBack() throws Exception {
        AuthorityBusSetUp.register(authority(agent), subject());
        authenticate();
        authority.stdin().close();
        assertThat(authority.await()).isEqualTo(new Exit.Exited(0));
        said.close();
        authority.close();
        start();
        assertThat(check(0).get(0)).isEqualTo(false);
        assertThat(log()).doesNotContain("restored");
    }
}
