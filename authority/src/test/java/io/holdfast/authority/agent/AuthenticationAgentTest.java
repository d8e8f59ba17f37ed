package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests an agent on a real bus, with an authority and a helper that the test controls. */
@Timeout(60)
class AuthenticationAgentTest {
    @TempDir Path folder;

    private final BlockingQueue<String> shown = new LinkedBlockingQueue<>();
    private final Semaphore answers = new Semaphore(0);
    private volatile boolean dismissed;

    private String address;
    private Bus bus;
    private UnixListener helpers;
    private FakeAuthority authority;
    private BusConnection connection;
    private PidFd self;

    @BeforeEach
    void open() throws Exception {
        BusAddress where = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        address = where.toString();
        bus = Bus.open(where, BusConfig.permissive());
        helpers =
                UnixListener.listen(
                        UnixAddress.path(folder.resolve("helper")), SocketType.STREAM, 10);
        Thread.ofVirtual().start(this::help);
        authority = new FakeAuthority(address, true);
        connection = BusConnection.connect(address);
        self = PidFd.self();
    }

    @AfterEach
    void close() {
        connection.close();
        authority.close();
        helpers.close();
        bus.close();
        self.close();
    }

    /** Runs a helper that knows one password. It reports nothing to the authority. */
    private void help() {
        try {
            for (; ; ) {
                try (UnixSocket socket = helpers.accept()) {
                    HelperProtocol protocol =
                            new HelperProtocol(new SocketLink(socket), HelperLimits.DEFAULT);
                    shown.add("helper of " + protocol.readRequest());
                    ByteBuffer answer = ByteBuffer.allocate(511);
                    protocol.showMessage("\u001b[2J!".getBytes(UTF_8), true);
                    protocol.prompt("Password: ".getBytes(UTF_8), false, answer);
                    protocol.end(
                            new String(answer.array(), 0, answer.position(), UTF_8)
                                    .equals("right"));
                } catch (IOException e) {
                    shown.add("helper left alone");
                }
            }
        } catch (IllegalStateException | InterruptedException e) {
            // the test has ended
        }
    }

    /** A user interface that answers when the test permits it. */
    private final class User implements AgentUserInterface {
        private final BlockingQueue<String> passwords = new LinkedBlockingQueue<>();

        User(String... passwords) {
            this.passwords.addAll(List.of(passwords));
        }

        @Override
        public int choose(AuthenticationRequest request, List<String> users) {
            shown.add(request.actionId() + " by " + users);
            return users.size() - 1;
        }

        @Override
        public void prompt(String text, boolean echo, ByteBuffer answer)
                throws DismissedException, InterruptedException {
            shown.add(text + echo);
            answers.acquire();
            if (dismissed) {
                throw new DismissedException();
            }
            answer.put(passwords.take().getBytes(UTF_8));
        }

        @Override
        public void showMessage(String text, boolean isError) {
            shown.add(text + isError);
        }

        @Override
        public void ended(boolean authenticated, boolean again) {
            shown.add("ended " + authenticated + " " + again);
        }
    }

    private AgentOptions options() {
        return AgentOptions.standard()
                .withHelpers(List.of(new HelperAddress.Socket(folder.resolve("helper"))));
    }

    private AgentOptions options(int attempts, int dialogs) {
        AgentOptions usual = options();
        return new AgentOptions(
                usual.fallback(), usual.locale(), usual.helpers(), attempts, dialogs);
    }

    private AuthenticationAgent agent(AgentOptions options, AgentUserInterface user)
            throws Exception {
        return AuthenticationAgent.register(
                connection, new AgentSubject.OneProcess(self), options, user);
    }

    /** Begins an authentication as an authority does. */
    private FutureTask<List<Object>> begin(String cookie, long... uids) {
        List<Struct> identities =
                Arrays.stream(uids)
                        .mapToObj(
                                uid -> Struct.of("unix-user", Map.of("uid", Variant.of("u", uid))))
                        .toList();
        FutureTask<List<Object>> call =
                new FutureTask<>(() ->
                        authority
                                .agent(connection.uniqueName())
                                .interactive()
                                .call(
                                        PolicyKit1.AGENT_INTERFACE,
                                        "BeginAuthentication",
                                        AuthenticationRequest.SIGNATURE,
                                        "org.example.act",
                                        "Act",
                                        "",
                                        Map.of("polkit.caller-pid", "1"),
                                        cookie,
                                        identities));
        Thread.startVirtualThread(call);
        return call;
    }

    private void awaitShown(String... texts) throws InterruptedException {
        for (String text : texts) {
            assertThat(shown.take()).isEqualTo(text);
        }
    }

    private static void assertError(FutureTask<?> call, String name) {
        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(call::get)
                .havingCause()
                .isInstanceOf(DBusException.class)
                .matches(e -> e instanceof DBusException error && error.name().equals(name), name);
    }

    @Test
    void itRegistersWithPidfdAndUserAndUnregisters() throws Exception {
        try (AuthenticationAgent _ =
                agent(options().withFallback(true).withLocale("de_AT.UTF-8"), new User())) {
            FakeAuthority.Registration made = authority.registrations.take();
            assertThat(made.method()).isEqualTo("register");
            assertThat(made.locale()).isEqualTo("de_AT.UTF-8");
            assertThat(made.last()).isEqualTo(Map.of("fallback", Variant.of(true)));
            assertThat(made.subject().get(0)).isEqualTo("unix-process");
            assertThat((Map<?, ?>) made.subject().get(1))
                    .extracting(Map::keySet)
                    .isEqualTo(Set.of("pid", "start-time", "uid", "pidfd"));
        }
        FakeAuthority.Registration ended = authority.registrations.take();
        assertThat(ended.method()).isEqualTo("unregister");
        assertThat(ended.last()).isEqualTo(AuthenticationAgent.PATH);
    }

    @Test
    void aSessionIsToldByItsId() throws Exception {
        try (AuthenticationAgent _ =
                AuthenticationAgent.register(
                        connection, new AgentSubject.Session("c7"), options(), new User())) {
            assertThat(authority.registrations.take().subject())
                    .isEqualTo(Struct.of("unix-session", Map.of("session-id", Variant.of("c7"))));
        }
    }

    @Test
    void aUserAuthenticates() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User("right"))) {
            answers.release();
            FutureTask<List<Object>> call = begin("cookie", 0);

            assertThat(call.get()).isEmpty();
            awaitShown(
                    "org.example.act by [root]",
                    "helper of root",
                    "\u001b[2J!true",
                    "Password: false",
                    "ended true false");
        }
    }

    @Test
    void oneOfSeveralIsChosen() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User("right"))) {
            answers.release();
            FutureTask<List<Object>> call = begin("cookie", 3_999_999_999L, 0);

            assertThat(call.get()).isEmpty();
            awaitShown("org.example.act by [3999999999, root]", "helper of root");
        }
    }

    @Test
    void wrongPasswordsMayBeTriedAgainSoManyTimes() throws Exception {
        try (AuthenticationAgent _ = agent(options(2, 16), new User("wrong", "wrong", "right"))) {
            answers.release(3);
            assertError(begin("cookie", 0), PolicyKit1.FAILED);
            assertThat(shown).contains("ended false true", "ended false false");
        }
    }

    @Test
    void aDismissedDialogIsCancelledAndTheHelperLetGo() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User())) {
            dismissed = true;
            answers.release();
            assertError(begin("cookie", 0), PolicyKit1.CANCELLED);
            Await.until(() -> shown.contains("helper left alone"));
        }
    }

    @Test
    void theOneThatIsShownCanBeDismissedFromElsewhere() throws Exception {
        try (AuthenticationAgent agent = agent(options(), new User("right"))) {
            assertThat(agent.dismiss()).isFalse();
            FutureTask<List<Object>> first = begin("first", 0);
            Await.until(() -> shown.contains("Password: false"));
            FutureTask<List<Object>> second = begin("second", 0);

            assertThat(agent.dismiss()).isTrue();
            assertError(first, PolicyKit1.CANCELLED);
            answers.release();
            assertThat(second.get()).isEmpty();
        }
    }

    @Test
    void theAuthorityCancelsADialogThatIsShownAndOneThatWaits() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User("right"))) {
            FutureTask<List<Object>> first = begin("first", 0);
            Await.until(() -> shown.contains("Password: false"));
            FutureTask<List<Object>> second = begin("second", 0);
            var agent = authority.agent(connection.uniqueName());
            Await.until(() -> cancels(agent, "second"));
            assertError(second, PolicyKit1.CANCELLED);
            agent.call(PolicyKit1.AGENT_INTERFACE, "CancelAuthentication", "s", "first");
            assertError(first, PolicyKit1.CANCELLED);
            assertThat(cancels(agent, "first")).isFalse();
        }
    }

    private static boolean cancels(RemoteObject agent, String cookie) {
        try {
            agent.call(PolicyKit1.AGENT_INTERFACE, "CancelAuthentication", "s", cookie);
            return true;
        } catch (DBusException e) {
            return false;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void soManyDialogsWaitAndNoMore() throws Exception {
        try (AuthenticationAgent agent = agent(options(3, 2), new User("right", "right"))) {
            FutureTask<List<Object>> first = begin("first", 0);
            Await.until(() -> shown.contains("Password: false"));
            assertError(begin("first", 0), PolicyKit1.FAILED); // the cookie has a dialog already
            FutureTask<List<Object>> second = begin("second", 0);
            FutureTask<List<Object>> third = begin("third", 0);
            Await.until(() -> second.isDone() || third.isDone());
            boolean last = third.isDone();
            assertError(last ? third : second, PolicyKit1.FAILED);

            answers.release(2);
            assertThat(first.get()).isEmpty();
            assertThat((last ? second : third).get()).isEmpty();
            assertThat(agent.dismiss()).isFalse();
        }
    }

    @Test
    void strangersAreNotListenedTo() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User("right"));
                BusConnection stranger = BusConnection.connect(address)) {
            var agent = stranger.object(connection.uniqueName(), AuthenticationAgent.PATH);
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() ->
                            agent.call(
                                    PolicyKit1.AGENT_INTERFACE,
                                    "BeginAuthentication",
                                    AuthenticationRequest.SIGNATURE,
                                    "a",
                                    "m",
                                    "",
                                    Map.of(),
                                    "c",
                                    List.of()))
                    .matches(e -> e.name().equals(DBusException.ACCESS_DENIED));
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() ->
                            agent.call(
                                    PolicyKit1.AGENT_INTERFACE, "CancelAuthentication", "s", "c"))
                    .matches(e -> e.name().equals(DBusException.ACCESS_DENIED));
        }
        assertThat(shown).isEmpty();
    }

    @Test
    void nobodyToAuthenticateIsAnError() throws Exception {
        try (AuthenticationAgent _ = agent(options(), new User("right"))) {
            assertError(begin("cookie"), DBusException.INVALID_ARGS);
        }
    }

    @Test
    void aNewAuthorityGetsANewRegistration() throws Exception {
        try (AuthenticationAgent agent = agent(options(), new User("right"))) {
            assertThat(authority.registrations.take().method()).isEqualTo("register");
            authority.close();
            authority = new FakeAuthority(address, true);

            assertThat(authority.registrations.take().method()).isEqualTo("register");
            answers.release();
            assertThat(begin("cookie", 0).get()).isEmpty();
            assertThat(agent.onEnd()).isNotDone();
        }
    }

    @Test
    void aDialogOfAnAuthorityThatIsGoneIsDismissed() throws Exception {
        try (AuthenticationAgent agent = agent(options(), new User("right"))) {
            FutureTask<List<Object>> call = begin("cookie", 0);
            Await.until(() -> shown.contains("Password: false"));
            authority.close();

            Await.until(() -> shown.contains("helper left alone"));
            Await.until(() -> !agent.dismiss());
            assertThat(call).isNotNull();
        }
    }

    @Test
    void theEndOfTheBusIsTold() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        try (AuthenticationAgent agent = agent(options(), new User())) {
            var _ = agent.onEnd().whenComplete((_, _) -> ended.countDown());
            bus.close();
            ended.await();
            assertThat(agent.onEnd()).isCompletedExceptionally();
        }
    }
}
