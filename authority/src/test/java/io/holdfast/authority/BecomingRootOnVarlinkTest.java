package io.holdfast.authority;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SetuidPeer;
import io.holdfast.core.testkit.SetuidPeer.Way;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code io.holdfast.Authority} and its clients, for a process that becomes root after it has
 * connected: it gets no authorization that the user who connected does not have (CVE-2011-1485).
 */
@Timeout(120)
@Needs(
        root = true,
        features = Feature.PEER_PIDFD,
        programs = {"perl", "setpriv"})
class BecomingRootOnVarlinkTest {
    private static final long USER = 20001;

    @TempDir private Path folder;
    private AuthorityEngine engine;
    private AuthorityInterface face;
    private UnixListener service;
    private VarlinkClient root;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        PolicyFolders folders = new PolicyFolders(folder).action("a.yes", "yes");
        folders.action("a.roots", "no")
                .rules(
                        "10.rules",
                        """
                        polkit.addRule(function(action, subject) {
                            if (action.id == "a.roots") {
                                return subject.user == "root" || subject.uid === 0
                                    || subject.isInGroup("root") ? "yes" : "no";
                            }
                        });
                        """);
        engine = AuthorityEngine.open(folders.options());
        face = AuthorityInterface.of(engine);
        face.server().serve(listen("authority"));
        service = listen("service");
        root = VarlinkClient.connect(path("authority").toString());
    }

    private UnixListener listen(String name) {
        return UnixListener.listen(UnixAddress.path(path(name)), SocketType.STREAM, 8, 0666);
    }

    private Path path(String name) {
        return folder.resolve(name);
    }

    @AfterEach
    void close() {
        root.close();
        service.close();
        face.close();
        engine.close();
    }

    private SetuidPeer connect(String to, Way way) throws Exception {
        return SetuidPeer.connect(folder, path(to), USER, way);
    }

    private static JsonObject.Builder question(String action) {
        return JsonObject.builder().put("action", action).put("always", true);
    }

    /** Makes a check whose subject is the descriptor that is sent with it. */
    private static JsonObject about(String action, long uid) {
        return question(action).put("subject", 0).put("uid", uid).build();
    }

    private static boolean check(VarlinkClient client, JsonObject question, Fd... beside) {
        try (var reply =
                client.call(
                        Authority.VARLINK_INTERFACE + ".Check",
                        question,
                        Duration.ofSeconds(60),
                        List.of(beside))) {
            return reply.parameters().bool("isAuthorized");
        }
    }

    private static void assertRefused(String error, ThrowingCallable call) {
        assertThatExceptionOfType(VarlinkException.class)
                .isThrownBy(call)
                .satisfies(
                        e -> assertThat(e.error()).isEqualTo(Authority.VARLINK_INTERFACE + error))
                .satisfies(e -> assertThat(e.parameters().string("reason")).contains("uid"));
    }

    private static void assertDenied(ThrowingCallable call) {
        assertThatExceptionOfType(VarlinkException.class)
                .isThrownBy(call)
                .satisfies(e ->
                        assertThat(e.error())
                                .isEqualTo(VarlinkException.permissionDenied().error()));
    }

    @ParameterizedTest
    @EnumSource
    void aCallerIsWhoItWasWhenItConnected(Way way) throws Exception {
        try (SetuidPeer peer = connect("authority", way);
                VarlinkClient itself =
                        VarlinkClient.over(peer.connection(), ClientOptions.standard())) {
            assertThat(check(itself, question("a.yes").build())).isTrue();
            peer.becomeRoot();
            assertThat(check(itself, question("a.yes").build())).isTrue();
            assertThat(check(itself, question("a.yes").put("uid", USER).build())).isTrue();
            assertThat(check(itself, question("a.roots").build())).isFalse();
            assertRefused(
                    ".NotAuthorized",
                    () -> check(itself, question("a.roots").put("uid", 0).build()));
            for (String method : List.of(".Reload", ".GetRuleMetrics")) {
                assertDenied(() -> itself.call(Authority.VARLINK_INTERFACE + method));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPidfdWithoutTheUserThatTheAskerSawIsRefused(Way way) throws Exception {
        try (SetuidPeer peer = connect("service", way)) {
            Fd pidfd = peer.process().fd();
            JsonObject without = question("a.roots").put("subject", 0).build();
            assertRefused(".UidMissing", () -> check(root, without, pidfd));
            peer.becomeRoot();
            assertRefused(".UidMissing", () -> check(root, without, pidfd));

            assertThat(check(root, about("a.roots", USER), pidfd)).isFalse();
            assertThat(check(root, about("a.yes", USER), pidfd)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aSocketBringsTheUserThatTheKernelNoted(Way way) throws Exception {
        try (SetuidPeer peer = connect("service", way);
                UnixSocket accepted = service.accept()) {
            peer.becomeRoot();
            JsonObject alone = question("a.roots").put("subject", 0).build();
            assertThat(check(root, alone, accepted.fd())).isFalse();
            assertThat(check(root, about("a.roots", USER), accepted.fd())).isFalse();
            assertThat(check(root, about("a.yes", USER), accepted.fd())).isTrue();
            assertRefused(".NotAuthorized", () -> check(root, about("a.roots", 0), accepted.fd()));
        }
    }

    /**
     * As in polkit: the uid that a user states for the user's own process must be true now, too.
     */
    @ParameterizedTest
    @EnumSource
    void aUserWhoAsksAboutHisProcessGainsNothingByItsNewUser(Way way) throws Exception {
        try (SetuidPeer peer = connect("service", way)) {
            peer.becomeRoot();
            Fd pidfd = peer.process().fd();
            AsUser.of(
                    USER,
                    () -> {
                        try (VarlinkClient user =
                                VarlinkClient.connect(path("authority").toString())) {
                            assertNotAuthorized(() -> check(user, about("a.roots", 0), pidfd));
                            JsonObject own = about("a.roots", USER);
                            if (way == Way.EFFECTIVE) {
                                assertThat(check(user, own, pidfd)).isFalse();
                            } else {
                                assertNotAuthorized(() -> check(user, own, pidfd));
                            }
                        }
                    });
        }
    }

    private static void assertNotAuthorized(ThrowingCallable call) {
        assertThatExceptionOfType(VarlinkException.class)
                .isThrownBy(call)
                .satisfies(e ->
                        assertThat(e.error())
                                .isEqualTo(Authority.VARLINK_INTERFACE + ".NotAuthorized"));
    }

    @ParameterizedTest
    @EnumSource
    void aServiceThatAsksAboutItsPeerAsksForTheUserWhoConnected(Way way) throws Exception {
        try (SetuidPeer process = connect("service", way);
                UnixSocket accepted = service.accept();
                Authority embedded = EmbeddedAuthority.of(engine);
                Authority varlink = Authority.overVarlink(path("authority").toString())) {
            process.becomeRoot();
            for (Authority each : List.of(embedded, varlink)) {
                try (Peer peer = accepted.peer();
                        PidFd held = process.process().duplicate()) {
                    assertThat(each.isAuthorized(peer, "a.yes", Map.of())).as("%s", each).isTrue();
                    assertThat(each.isAuthorized(peer, "a.roots", Map.of()))
                            .as("%s", each)
                            .isFalse();
                    assertThat(each.check(held, USER, "a.roots", Map.of()).join().isAuthorized())
                            .as("%s", each)
                            .isFalse();
                }
            }
        }
    }
}
