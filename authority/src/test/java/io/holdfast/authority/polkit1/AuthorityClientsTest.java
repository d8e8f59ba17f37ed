package io.holdfast.authority.polkit1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.EmbeddedAuthority;
import io.holdfast.authority.PolicyFolders;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Sessions;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.testkit.DbusDaemon;
import io.holdfast.dbus.testkit.TestBus;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the clients of an authority: every failure is a refusal with its reason. */
@Timeout(120)
class AuthorityClientsTest {
    @TempDir Path folder;
    private AuthorityEngine engine;
    private PidFd self;
    private Path socket;

    @BeforeEach
    void open() throws IOException {
        engine =
                AuthorityEngine.open(
                        new PolicyFolders(folder)
                                .action("a.yes", "yes")
                                .action("a.no", "no")
                                .options());
        self = PidFd.self();
        socket = folder.resolve("socket");
    }

    @AfterEach
    void close() {
        self.close();
        engine.close();
    }

    private AuthorityInterface serve() {
        AuthorityInterface face = AuthorityInterface.of(engine);
        face.server().listen(UnixAddress.path(socket));
        return face;
    }

    private BusAddress address() {
        return BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    private Decision ask(Authority authority, String action) {
        return authority.check(self, 4711, action, Map.of()).join();
    }

    private void assertRefused(Decision decision) {
        assertThat(decision.isAuthorized()).isFalse();
        assertThat(decision.isChallenge()).isFalse();
        assertThat(decision.failure()).isPresent();
    }

    @Test
    void allWaysToAskTellTheSame() throws Exception {
        try (Bus bus = Bus.open(address(), BusConfig.permissive());
                BusConnection server = BusConnection.connect(address().toString());
                PolicyKit1 onBus = PolicyKit1.serve(engine, server, false);
                AuthorityInterface onVarlink = serve();
                Authority overBus = Authority.overBus(List.of(address()));
                Authority overVarlink = Authority.overVarlink(socket.toString());
                Authority embedded = EmbeddedAuthority.of(engine)) {
            assertThat(List.of(bus, onBus, onVarlink)).hasSize(3);
            for (Authority each : List.of(overBus, overVarlink, embedded)) {
                assertThat(ask(each, "a.yes").isAuthorized()).as("%s", each).isTrue();
                assertThat(ask(each, "a.no").isAuthorized()).isFalse();
                assertThat(ask(each, "a.no").failure()).isEmpty();
                assertRefused(ask(each, "a.nothing"));
            }
            Decision explained =
                    overVarlink
                            .check(self, 4711, "a.no", Map.of(), Authority.Option.EXPLAIN)
                            .join();
            assertThat(explained.explanation()).isPresent();
        }
    }

    /** Each dbus-daemon gives the same unique names as another. */
    @Test
    @Needs(programs = "dbus-daemon")
    void theConnectionsOfTwoBusesAreNotMixedUp() throws Exception {
        try (TestBus one = DbusDaemon.start(Files.createDirectory(folder.resolve("one")));
                TestBus two = DbusDaemon.start(Files.createDirectory(folder.resolve("two")));
                BusConnection serverOne = BusConnection.connect(one.address());
                BusConnection serverTwo = BusConnection.connect(two.address());
                BusConnection agentOne = BusConnection.connect(one.address());
                PolicyKit1 onOne = PolicyKit1.serve(engine, serverOne, false)) {
            register(agentOne);
            try (BusConnection agentTwo = BusConnection.connect(two.address());
                    PolicyKit1 onTwo = PolicyKit1.serve(engine, serverTwo, false)) {
                assertThat(agentTwo.uniqueName()).isEqualTo(agentOne.uniqueName());
                assertThat(List.of(onOne, onTwo)).doesNotHaveDuplicates();
            }
            assertThat(engine.connections()).as("that the second has not forgotten").hasSize(1);
        }
        assertThat(engine.connections()).isEmpty();
    }

    private void register(BusConnection agent) throws InterruptedException {
        Map<String, Variant> process =
                Map.of(
                        "pid",
                        Variant.of("u", (long) self.pid()),
                        "start-time",
                        Variant.of("t", 0L),
                        "uid",
                        Variant.of((int) Unistd.geteuid()));
        var _ =
                agent.object(Authority.BUS_NAME, Authority.OBJECT_PATH)
                        .call(
                                Authority.BUS_INTERFACE,
                                "RegisterAuthenticationAgent",
                                "(sa{sv})ss",
                                Struct.of("unix-process", process),
                                "C",
                                "/agent");
    }

    @Test
    void anAuthorityThatWasStartedAnewIsFoundAgain() throws Exception {
        try (Authority varlink = Authority.overVarlink(socket.toString())) {
            for (int i = 0; i < 3; i++) {
                try (AuthorityInterface face = serve()) {
                    assertThat(ask(varlink, "a.yes").isAuthorized()).as("%s", face).isTrue();
                }
                boolean ignored = Files.deleteIfExists(socket);
                assertRefused(ask(varlink, "a.yes"));
            }
        }
    }

    @Test
    void aNameThatAnotherHasIsRefusedAndNothingStays() throws Exception {
        try (Bus bus = Bus.open(address(), BusConfig.permissive());
                BusConnection other = BusConnection.connect(address().toString())) {
            assertThat(bus.addresses()).hasSize(1);
            var _ = other.requestName(Authority.BUS_NAME);
            OpenDescriptors before = OpenDescriptors.now();
            try (BusPresence presence = BusPresence.on(List.of(address()), true)) {
                assertThatIllegalStateException()
                        .isThrownBy(() -> presence.serve(engine, () -> {}))
                        .withMessageContaining(Authority.BUS_NAME + " is already owned on ");
                assertThat(engine.connections()).isEmpty();
            }
            before.awaitSameNumber();
        }
    }

    /** Another authority has taken the name after the bus was restarted. */
    @Test
    void aPresenceThatCannotComeBackEndsAndSaysWhy() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        Bus first = Bus.open(address(), BusConfig.permissive());
        try (BusPresence presence = BusPresence.on(List.of(address()), false)) {
            presence.serve(engine, ended::countDown);
            BusAddress elsewhere = BusAddress.parse("unix:path=" + folder.resolve("elsewhere"));
            first.close();
            try (Bus second = Bus.open(elsewhere, BusConfig.permissive());
                    BusConnection other = BusConnection.connect(elsewhere.toString())) {
                assertThat(second.addresses()).hasSize(1);
                var _ = other.requestName(Authority.BUS_NAME);
                Files.createSymbolicLink(folder.resolve("bus"), folder.resolve("elsewhere"));
                ended.await();
                assertThat(presence.failure().orElseThrow()).contains("is already owned on ");
            }
        }
    }

    @Test
    void anAuthorityThatCannotBeOpenedLeavesNothing(@TempDir Path other) {
        OpenDescriptors before = OpenDescriptors.now();
        Set<Thread> threads = Thread.getAllStackTraces().keySet();
        Path elsewhere = Path.of(URI.create("jrt:/java.base"));
        AuthorityOptions options = new PolicyFolders(other).options();
        for (AuthorityOptions each :
                List.of(
                        options.withActionFolders(List.of(elsewhere)),
                        options.withRuleFolders(List.of(elsewhere)),
                        options.withSessions(new Sessions(elsewhere, CgroupPath.ROOT)))) {
            assertThatThrownBy(() -> AuthorityEngine.open(each).close())
                    .isInstanceOf(RuntimeException.class);
        }
        Await.until(() ->
                Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> !threads.contains(thread))
                        .noneMatch(thread ->
                                thread.getName().startsWith("rules")
                                        || thread.getName().startsWith("holdfast")));
        before.awaitSameNumber();
    }

    @Test
    void theConnectionsOfABusAreRememberedUpToALimit() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (Bus bus = Bus.open(address(), BusConfig.permissive());
                BusConnection server = BusConnection.connect(address().toString());
                BusPeers peers = new BusPeers(2);
                BusConnection one = BusConnection.connect(address().toString());
                BusConnection two = BusConnection.connect(address().toString());
                BusConnection three = BusConnection.connect(address().toString())) {
            assertThat(bus.addresses()).hasSize(1);
            OpenDescriptors open = OpenDescriptors.now();
            for (int i = 0; i < 3; i++) {
                for (BusConnection each : List.of(one, two, three)) {
                    try (Subject.BusName subject = peers.subject(each.uniqueName(), server::peer)) {
                        assertThat(subject.process()).isPresent();
                    }
                    assertThat(peers.known()).isLessThanOrEqualTo(2);
                }
            }
            peers.forget(three.uniqueName());
            assertThat(peers.known()).isEqualTo(1);
            peers.forgetAll();
            open.awaitSameNumber();
            try (Subject.BusName subject = peers.subject(one.uniqueName(), server::peer)) {
                assertThat(subject.uid()).isEqualTo(Unistd.geteuid());
            }
        }
        before.awaitSameNumber();
    }

    @Test
    void theAuthorityComesBackWithTheBus() throws Exception {
        CountDownLatch ended = new CountDownLatch(1);
        Bus first = Bus.open(address(), BusConfig.permissive());
        try (BusPresence presence = BusPresence.on(List.of(address()), false);
                Authority authority = Authority.overBus(List.of(address()))) {
            presence.serve(engine, ended::countDown);
            assertThat(ask(authority, "a.yes").isAuthorized()).isTrue();
            first.close();
            try (Bus second = Bus.open(address(), BusConfig.permissive())) {
                assertThat(second.addresses()).hasSize(1);
                Await.until(() -> ask(authority, "a.yes").isAuthorized());
                try (BusConnection other = BusConnection.connect(address().toString());
                        PolicyKit1 replacing = PolicyKit1.serve(engine, other, true)) {
                    ended.await();
                    assertThat(replacing.toString()).contains(Authority.BUS_NAME);
                    assertThat(presence.failure().orElseThrow()).contains("another authority");
                }
            }
        }
    }
}
