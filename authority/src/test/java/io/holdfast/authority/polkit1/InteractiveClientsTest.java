package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.AgentChannel.End;
import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.Caller;
import io.holdfast.authority.EmbeddedAuthority;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.TestAgent;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Authority.Option;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests interactive checks of a server, by each way to reach the authority. */
@Timeout(60)
@Needs(root = true, features = Feature.PEER_PIDFD)
class InteractiveClientsTest {
    private static final long USER = 20001;
    private static final Caller ROOT = new Caller("root", 0, Optional.empty());

    /** How the server reaches the authority. */
    enum Way {
        EMBEDDED,
        VARLINK,
        BUS
    }

    @TempDir Path folder;
    private final TestAgent agent = new TestAgent();
    private AuthorityEngine engine;
    private ForeignParent parent;
    private PidFd process;
    private Bus bus;
    private BusConnection server;
    private PolicyKit1 onBus;
    private AuthorityInterface onVarlink;

    @BeforeEach
    void open() throws Exception {
        engine =
                AuthorityEngine.open(
                        new PolicyFolders(folder)
                                .action("a.self", "auth_self")
                                .action("a.keep", "auth_self_keep")
                                .options());
        parent = ForeignParent.start();
        process = parent.held("subject", "uid=" + USER);
        bus = Bus.open(address(), BusConfig.permissive());
        server = BusConnection.connect(address().toString());
        onBus = PolicyKit1.serve(engine, server, false);
        onVarlink = AuthorityInterface.of(engine);
        onVarlink.server().listen(UnixAddress.path(folder.resolve("socket")));
        Subject scope =
                new Subject.UnixProcess(
                        process.duplicate(), USER, Origin.DESCRIPTOR, Optional.empty());
        engine.agents().register(ROOT, scope, "C", "/agent", false, agent).join();
    }

    @AfterEach
    void close() throws Exception {
        onVarlink.close();
        onBus.close();
        server.close();
        bus.close();
        process.close();
        parent.close();
        engine.close();
    }

    private BusAddress address() {
        return BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    private Authority authority(Way way) {
        return switch (way) {
            case EMBEDDED -> EmbeddedAuthority.of(engine);
            case VARLINK -> Authority.overVarlink(folder.resolve("socket").toString());
            case BUS -> Authority.overBus(List.of(address()));
        };
    }

    private CompletableFuture<Decision> ask(Authority authority, String action, Option... options) {
        return authority.check(process, USER, action, Map.of(), options);
    }

    private void authenticated(TestAgent.Dialog dialog) {
        engine.agents()
                .respond(ROOT, dialog.cookie(), USER, OptionalLong.of(USER), Optional.empty())
                .join();
        dialog.end(End.COMPLETED);
    }

    @ParameterizedTest
    @EnumSource
    void onlyWithTheOptionSomebodyIsAskedAndWhoAuthenticatesMay(Way way) throws Exception {
        try (Authority authority = authority(way)) {
            Decision quiet = ask(authority, "a.keep").join();
            assertThat(quiet.isAuthorized()).isFalse();
            assertThat(quiet.isChallenge()).isTrue();
            assertThat(agent.wasAsked()).isFalse();

            CompletableFuture<Decision> answer = ask(authority, "a.keep", Option.INTERACTIVE);
            TestAgent.Dialog dialog = agent.take();
            assertThat(dialog.request().action()).isEqualTo("a.keep");
            assertThat(answer).as("it takes as long as the user does").isNotDone();
            authenticated(dialog);
            Decision yes = answer.join();
            assertThat(yes.isAuthorized()).isTrue();
            assertThat(yes.isChallenge()).isFalse();
            assertThat(yes.details()).containsKey("polkit.temporary_authorization_id");
            assertThat(ask(authority, "a.keep").join().isAuthorized()).as("kept").isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whoDoesNotAuthenticateIsRefused(Way way) throws Exception {
        try (Authority authority = authority(way)) {
            for (End end : End.values()) {
                CompletableFuture<Decision> answer = ask(authority, "a.self", Option.INTERACTIVE);
                agent.take().end(end);
                Decision no = answer.join();
                assertThat(no.isAuthorized()).as("%s", end).isFalse();
                assertThat(no.isChallenge()).isFalse();
                assertThat(no.failure()).as("it is an answer").isEmpty();
                assertThat(no.details().containsKey("polkit.dismissed"))
                        .isEqualTo(end == End.DISMISSED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void dialogsGoOnBesideEachOtherAndBesideOtherQuestions(Way way) throws Exception {
        try (Authority authority = authority(way)) {
            CompletableFuture<Decision> first = ask(authority, "a.self", Option.INTERACTIVE);
            TestAgent.Dialog one = agent.take();
            CompletableFuture<Decision> second = ask(authority, "a.self", Option.INTERACTIVE);
            TestAgent.Dialog other = agent.take();
            assertThat(ask(authority, "a.self").join().isChallenge()).isTrue();
            authenticated(other);
            assertThat(second.join().isAuthorized()).isTrue();
            assertThat(first).isNotDone();
            one.end(End.DISMISSED);
            assertThat(first.join().isAuthorized()).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aQuestionThatIsCancelledEndsItsDialogAlone(Way way) throws Exception {
        try (Authority authority = authority(way)) {
            CompletableFuture<Decision> other = ask(authority, "a.self", Option.INTERACTIVE);
            TestAgent.Dialog otherDialog = agent.take();
            CompletableFuture<Decision> answer = ask(authority, "a.self", Option.INTERACTIVE);
            TestAgent.Dialog dialog = agent.take();
            assertThat(answer.cancel(false)).isTrue();
            assertThat(agent.takeCancelled()).isEqualTo(dialog.cookie());
            authenticated(otherDialog);
            assertThat(other.join().isAuthorized()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Way.class,
            names = {"VARLINK", "BUS"})
    void anAuthorityThatIsClosedRefusesAndItsDialogEnds(Way way) throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        CompletableFuture<Decision> answer;
        TestAgent.Dialog dialog;
        try (Authority authority = authority(way)) {
            answer = ask(authority, "a.self", Option.INTERACTIVE);
            dialog = agent.take();
        }
        assertThat(answer.join().isAuthorized()).isFalse();
        assertThat(answer.join().failure()).isPresent();
        assertThat(agent.takeCancelled()).isEqualTo(dialog.cookie());
        before.awaitSameNumber();
    }

    @ParameterizedTest
    @EnumSource
    void withoutAnAgentItStaysAChallenge(Way way) throws Exception {
        engine.disconnected("root");
        try (Authority authority = authority(way)) {
            Await.until(() -> engine.connections().isEmpty());
            Decision no = ask(authority, "a.self", Option.INTERACTIVE).join();
            assertThat(no.isAuthorized()).isFalse();
            assertThat(no.isChallenge()).isTrue();
        }
    }
}
