package io.holdfast.authority.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.holdfast.authority.client.Authority.Option;
import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What a check sends to an authority and what the answer carries back, over either protocol. */
@ParameterizedClass(name = "{0}")
@EnumSource
@Timeout(120)
class AuthorityTest {
    /** The protocol to the authority. */
    enum Way {
        VARLINK,
        BUS
    }

    private static final Explanation WHY =
            new Explanation(
                    List.of(
                            new Explanation.Step("subject", "process 7", ""),
                            new Explanation.Step("rule", "returned \"yes\"", "10.rules:2")));

    private static final Decision YES =
            new Decision(
                    true, false, Map.of("a", "1", "b", ""), Optional.empty(), Optional.of(WHY));
    private static final Decision CHALLENGE =
            new Decision(false, true, Map.of(), Optional.empty(), Optional.empty());

    @Parameter Way way = Way.VARLINK;
    @TempDir Path folder;
    private final BlockingQueue<StandIn.Check> receivedChecks = new LinkedBlockingQueue<>();
    private volatile Decision decision = YES;
    private Bus bus;
    private AutoCloseable standIn;
    private Authority authority;
    private PidFd self;
    private int pid;

    @BeforeEach
    void open() throws Exception {
        BusAddress address = BusAddress.parse("unix:path=" + folder.resolve("bus"));
        Path socket = folder.resolve("socket");
        bus = Bus.open(address, BusConfig.permissive());
        self = PidFd.self();
        pid = self.pid();
        if (way == Way.VARLINK) {
            standIn = StandIn.onVarlink(socket, this::answer);
            authority = Authority.overVarlink(socket.toString());
        } else {
            standIn = StandIn.onBus(address, this::answer);
            authority = Authority.overBus(List.of(address));
        }
    }

    @AfterEach
    void close() throws Exception {
        authority.close();
        standIn.close();
        bus.close();
        self.close();
    }

    private CompletableFuture<Decision> answer(StandIn.Check received) {
        receivedChecks.add(received);
        return CompletableFuture.completedFuture(decision);
    }

    @Test
    void aQuestionArrivesAsItWasAsked() throws Exception {
        Map<String, String> details = Map.of("unit", "web.service", "verb", "");
        assertThat(authority.check(self, Authority.MAX_UID, "a.b", details).join().isAuthorized())
                .isTrue();
        assertThat(receivedChecks.take())
                .isEqualTo(
                        new StandIn.Check(
                                pid, Authority.MAX_UID, "a.b", details, false, false, false));
        var _ = authority.check(self, 0, "a.b", Map.of(), Option.values()).join();
        assertThat(receivedChecks.take())
                .isEqualTo(
                        new StandIn.Check(pid, 0, "a.b", Map.of(), true, true, way == Way.VARLINK));
    }

    @Test
    @Needs(features = Feature.PEER_PIDFD)
    void aPeerIsItsProcessAndTheUserThatItConnectedAs() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket two = pair[1];
                Peer peer = one.peer()) {
            assertThat(two.fd().isOpen()).isTrue();
            assertThat(authority.isAuthorized(peer, "a.b", Map.of())).isTrue();
            decision = CHALLENGE;
            assertThat(authority.isAuthorized(peer, "a.b", Map.of())).isFalse();
            StandIn.Check received = receivedChecks.take();
            assertThat(received.pid()).isEqualTo(pid);
            assertThat(received.uid()).isEqualTo(peer.uid());
        }
    }

    @Test
    void anAnswerArrivesAsItWasGiven() {
        Decision yes = authority.check(self, 0, "a.b", Map.of(), Option.EXPLAIN).join();
        assertThat(yes.isAuthorized()).isTrue();
        assertThat(yes.isChallenge()).isFalse();
        assertThat(yes.details()).isEqualTo(YES.details());
        assertThat(yes.failure()).isEmpty();
        assertThat(yes.explanation())
                .isEqualTo(way == Way.VARLINK ? Optional.of(WHY) : Optional.empty());
        decision = CHALLENGE;
        assertThat(authority.check(self, 0, "a.b", Map.of()).join()).isEqualTo(CHALLENGE);
    }

    /** 4294967296 is 0 in 32 bits. */
    @Test
    void aNumberThatNoUserHasIsRefusedAndNotAskedAbout() {
        for (long uid : new long[] {-1, Authority.MAX_UID + 1, 1L << 32, Long.MIN_VALUE}) {
            Decision refused = authority.check(self, uid, "a.b", Map.of()).join();
            assertThat(refused.isAuthorized()).isFalse();
            assertThat(refused.failure().orElseThrow()).contains("invalid uid " + uid + " ");
        }
        assertThat(receivedChecks).isEmpty();
    }

    @Test
    @SuppressWarnings("NullAway") // as a careless caller does
    void aNullIsThrownAndLeavesNoDescriptor() {
        Map<String, String> withNull = new HashMap<>();
        withNull.put("unit", null);
        OpenDescriptors before = OpenDescriptors.now();
        assertThatNullPointerException().isThrownBy(() -> authority.check(self, 0, null, Map.of()));
        assertThatNullPointerException()
                .isThrownBy(() -> authority.check(self, 0, "a.b", withNull));
        assertThatNullPointerException()
                .isThrownBy(() -> authority.check(self, 0, "a.b", Map.of(), (Option) null));
        before.awaitSameNumber();
        assertThat(receivedChecks).isEmpty();
    }

    @Test
    void aClosedAuthorityRefuses() {
        assertThat(authority.check(self, 0, "a.b", Map.of()).join().isAuthorized()).isTrue();
        authority.close();
        authority.close();
        Decision refused = authority.check(self, 0, "a.b", Map.of()).join();
        assertThat(refused.isAuthorized()).isFalse();
        assertThat(refused.failure().orElseThrow()).contains("closed");
    }
}
