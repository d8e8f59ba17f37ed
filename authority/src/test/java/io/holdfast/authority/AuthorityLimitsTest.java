package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.Authority.Option;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.wire.Struct;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How much may be under way between an authority and those who ask it. */
@Timeout(120)
@Needs(root = true)
class AuthorityLimitsTest {
    private static final long USER = 4711;
    private static final int CALLS = 4;

    @TempDir Path folder;

    private static CompletableFuture<Decision> ask(Authority authority, PidFd process) {
        return authority.check(process, USER, "a.self", Map.of(), Option.INTERACTIVE);
    }

    private static boolean isAllowed(Authority authority, PidFd process) {
        return authority.check(process, USER, "a.yes", Map.of()).join().isAuthorized();
    }

    @Test
    void moreQuestionsOverVarlinkThanTheLimitWaitForEachOther() throws Exception {
        PolicyFolders folders =
                new PolicyFolders(folder).action("a.yes", "yes").action("a.self", "auth_self");
        String socket = folder.resolve("socket").toString();
        TestAgent agent = new TestAgent();
        int most = VarlinkAuthority.MAX_CONNECTIONS;
        try (AuthorityEngine engine = AuthorityEngine.open(folders.options());
                AuthorityInterface face = AuthorityInterface.of(engine);
                PidFd self = PidFd.self();
                Authority authority = Authority.overVarlink(socket);
                Authority other = Authority.overVarlink(socket)) {
            face.server().listen(UnixAddress.path(Path.of(socket)));
            Subject subject =
                    new Subject.UnixProcess(
                            PidFd.self(), USER, Origin.DESCRIPTOR, Optional.empty());
            engine.registerAgent(Caller.SELF, subject, "C", "/agent", false, agent).join();
            List<CompletableFuture<Decision>> answers = new ArrayList<>();
            for (int i = 0; i <= most; i++) {
                answers.add(ask(authority, self));
            }
            List<TestAgent.Dialog> dialogs = new ArrayList<>();
            for (int i = 0; i < most; i++) {
                dialogs.add(agent.take());
            }
            assertThat(isAllowed(other, self)).as("another program's").isTrue();
            assertThat(face.server().connectionCount()).isEqualTo(most + 1);
            assertThat(agent.wasAsked()).isFalse();
            assertThat(answers).noneMatch(CompletableFuture::isDone);

            dialogs.getFirst().end(AgentChannel.End.DISMISSED);
            dialogs.add(agent.take());
            assertThat(face.server().connectionCount()).isEqualTo(most + 1);
            dialogs.subList(1, dialogs.size())
                    .forEach(dialog -> dialog.end(AgentChannel.End.DISMISSED));
            assertThat(answers)
                    .allSatisfy(answer ->
                            assertThat(answer.join().details()).containsKey("polkit.dismissed"));
            Await.until(() -> face.server().connectionCount() == VarlinkAuthority.MAX_IDLE + 1);
            for (int i = 0; i < 2 * VarlinkAuthority.MAX_IDLE; i++) {
                assertThat(isAllowed(authority, self)).as("there is room again").isTrue();
            }
            assertThat(face.server().connectionCount())
                    .as("those that were kept are used")
                    .isEqualTo(VarlinkAuthority.MAX_IDLE + 1);
        }
    }

    private static CompletableFuture<Struct> call(
            BusConnection client, PidFd process, String action, int flags) {
        CompletableFuture<Struct> answer = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        answer.complete(
                                (Struct)
                                        client.object(PolicyKit1.NAME, PolicyKit1.PATH)
                                                .call(
                                                        PolicyKit1.INTERFACE,
                                                        "CheckAuthorization",
                                                        "(sa{sv})sa{ss}us",
                                                        PolkitSubject.held(process, USER),
                                                        action,
                                                        Map.of(),
                                                        flags,
                                                        "")
                                                .getFirst());
                    } catch (Exception e) {
                        answer.completeExceptionally(e);
                    }
                });
        return answer;
    }

    /** {@code io.holdfast.authority.calls}. */
    @Test
    void aCallMoreThanTheLimitIsRefusedAndThoseBeforeItAreAnswered() throws Exception {
        new PolicyFolders(folder).action("a.yes", "yes").action("a.self", "auth_self");
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        BlockingQueue<List<Object>> begun = new LinkedBlockingQueue<>();
        CountDownLatch end = new CountDownLatch(1);
        try (Bus bus = Bus.open(address, BusConfig.permissive());
                BusConnection agent = BusConnection.connect(address.toString());
                BusConnection client = BusConnection.connect(address.toString());
                BusConnection other = BusConnection.connect(address.toString());
                PidFd self = PidFd.self()) {
            Process program =
                    new ProcessBuilder(
                                    ChildJvm.command(
                                            List.of("-Dio.holdfast.authority.calls=" + CALLS),
                                            AuthorityProgram.class,
                                            bus.addresses().getFirst().toString(),
                                            folder.toString()))
                            .redirectError(folder.resolve("log").toFile())
                            .start();
            try (BufferedReader output = program.inputReader()) {
                assertThat(output.readLine())
                        .as(() -> "see " + folder.resolve("log"))
                        .isEqualTo("ready");
                agent.export("/agent", AuthorityBusSetUp.agent(begun, end));
                var _ =
                        agent.object(PolicyKit1.NAME, PolicyKit1.PATH)
                                .call(
                                        PolicyKit1.INTERFACE,
                                        "RegisterAuthenticationAgent",
                                        "(sa{sv})ss",
                                        PolkitSubject.held(self, USER),
                                        "C",
                                        "/agent");
                List<CompletableFuture<Struct>> answers = new ArrayList<>();
                for (int i = 0; i < CALLS; i++) {
                    answers.add(call(client, self, "a.self", 1));
                    var _ = begun.take();
                }
                for (BusConnection each : List.of(client, other)) {
                    assertThatExceptionOfType(CompletionException.class)
                            .isThrownBy(() -> call(each, self, "a.yes", 0).join())
                            .havingCause()
                            .isInstanceOfSatisfying(
                                    DBusException.class,
                                    e ->
                                            assertThat(e.name())
                                                    .isEqualTo(DBusException.LIMITS_EXCEEDED));
                }
                assertThat(answers).noneMatch(CompletableFuture::isDone);
                end.countDown();
                for (CompletableFuture<Struct> each : answers) {
                    assertThat(each.join().get(0)).as("nobody has authenticated").isEqualTo(false);
                }
                for (BusConnection each : List.of(client, other)) {
                    assertThat(call(each, self, "a.yes", 0).join().get(0)).isEqualTo(true);
                }
            } finally {
                program.getOutputStream().close();
                assertThat(program.waitFor()).isZero();
            }
        }
    }
}
