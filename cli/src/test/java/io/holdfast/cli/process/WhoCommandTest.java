package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class WhoCommandTest {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());

    @TempDir private Path temp;

    @Test
    @Needs(cgroup2 = true)
    void theChainGoesFromTheProcessToItsUnit() {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup slice = scratch.cgroup().create("some.slice");
                Cgroup service = slice.create("some.service");
                Child sleep = Spawn.of("sleep", "600").cgroup(service).start()) {
            String pid = Integer.toString(sleep.pidFd().pid());

            // the scratch cgroup itself is not a slice, so its processes are in no unit
            assertThat(Invocation.of("who", pid).out())
                    .contains(
                            "process     " + sleep.pidFd().processId().inThisBoot() + " sleep\n",
                            "cgroup      " + service.path() + " (id " + service.id() + ")\n",
                            "unit        none\n",
                            "slice       -.slice\n",
                            "session     none\n");
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aUnitThatAUserNamedHimselfIsNotShown() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.createSlice();
                Child sleep =
                        Spawn.of("setpriv", "--reuid=20001", "--clear-groups", "sleep", "600")
                                .start()) {
            String pid = Integer.toString(sleep.pidFd().pid());
            scratch.placeAsUser(20001, "ssh.service", sleep.pidFd());
            assertThat(Invocation.of("who", pid).out())
                    .contains(
                            "/x.slice/ssh.service (id ",
                            "unit        unknown: a user other than root may have named this cgroup\n")
                    .doesNotContain("slice       ", "session     ");
            assertThat(Invocation.of("who", "--json", pid).out())
                    .contains("/x.slice/ssh.service\",", "\"unit\":null,\"slice\":null,");
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void theShapeOfItsJsonStays() throws Exception {
        String name = "holdfast-who-" + SELF + ".slice";
        try (Cgroup root = Cgroup.root();
                Cgroup slice = root.create(name);
                Cgroup service = slice.create("some.service");
                Child sleep = Spawn.of("sleep", "600").cgroup(service).start()) {
            String who =
                    Invocation.of("who", "--json", Integer.toString(sleep.pidFd().pid())).out();
            assertThat(sleep.signal(Signal.KILL)).isTrue();
            assertThat(sleep.await().isSuccess()).isFalse();
            slice.removeAll();

            assertThat(
                            who.replace(name, "x.slice")
                                    .replaceAll("\\[[0-9,]*\\]", "[]")
                                    .replaceAll("\"[0-9:a-f-]{9,}\"", "\"…\"")
                                    .replaceAll(":[0-9]+", ":0"))
                    .startsWith(
                            """
                            {"process":"…","pid":0,"name":"sleep","state":"alive","credentials":\
                            {"realUid":0,"effectiveUid":0,"savedUid":0,"fileSystemUid":0,"realGid":0,\
                            "effectiveGid":0,"savedGid":0,"fileSystemGid":0},"groups":[],\
                            """)
                    .contains(
                            "\"cgroup\":\"/x.slice/some.service\",\"cgroupId\":0,",
                            """
                            "unit":"some.service","slice":"x.slice","userUnit":null,"userSlice":null,\
                            "session":null,"machine":null,"ownerUid":null,\
                            """);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = SocketType.class,
            names = {"STREAM", "SEQPACKET"})
    void whoListensOnASocketIsHeld(SocketType type) {
        Path path = temp.resolve("socket");
        try (UnixListener _ = UnixListener.listen(UnixAddress.path(path), type, 8)) {
            Invocation who = Invocation.of("who", path.toString());

            assertThat(who.code()).isZero();
            assertThat(who.out())
                    .contains(
                            "socket      " + path + "\n",
                            "peer        held since it began to listen",
                            "process     " + SELF + ":");
        }
    }

    /** The child of a dead listener keeps the listening socket open. */
    @Test
    @Needs(
            features = {Feature.EXIT_INFO, Feature.PASS_RIGHTS},
            programs = "perl")
    void aListenerThatIsGoneIsStillTold() throws Exception {
        Path path = temp.resolve("socket");
        Process listener =
                new ProcessBuilder(
                                "perl",
                                "-MSocket",
                                "-e",
                                "$^F = 99; socket(S, AF_UNIX, SOCK_STREAM, 0);"
                                        + " bind(S, sockaddr_un($ARGV[0])); listen(S, 8);"
                                        + " if ($p = fork) { print $p; exit 7 }"
                                        + " close STDOUT; exec 'sleep', '600'",
                                path.toString())
                        .start();
        String heir =
                new String(listener.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(listener.waitFor()).isEqualTo(7);
        try (PidFd holder = PidFd.open(Integer.parseInt(heir))) {
            Invocation who = Invocation.of("who", path.toString());
            assertThat(holder.signal(Signal.KILL)).isTrue();

            assertThat(who.err()).isEmpty();
            assertThat(who.out())
                    .contains("process     gone\n", "exit        exited with status 7\n");
            assertThat(who.code()).isZero();
        }
    }

    @Test
    void anAbstractNameIsASocketToo() {
        String name = "holdfast-who-" + SELF;
        try (UnixListener _ =
                UnixListener.listen(UnixAddress.abstractName(name), SocketType.STREAM, 8)) {
            assertThat(Invocation.of("who", "--json", "@" + name).out())
                    .contains(
                            "\"pid\":" + SELF + ",",
                            "\"socket\":\"@" + name + "\",\"held\":true,\"peerUid\":");
        }
    }

    @Test
    void aSocketWithoutAListenerIsRefused() throws IOException {
        Path path = temp.resolve("socket");
        Path file = Files.createFile(temp.resolve("file"));
        try (UnixSocket _ = UnixSocket.bind(UnixAddress.path(path))) {
            refused(path.toString(), path + " is a datagram socket, and has no listening process");
        }
        refused(path.toString(), "no process listens on " + path);
        refused(file.toString(), file + " is not a socket");
        refused(temp.resolve("none").toString(), temp.resolve("none") + ": no such socket");
        refused("@holdfast-nobody-" + SELF, "no process listens on @holdfast-nobody-" + SELF);
    }

    @Test
    void anAddressThatIsTooLongIsNotUnderstood() {
        Invocation refused = Invocation.of("who", "/" + "x".repeat(200));

        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).startsWith("holdfast: not a socket: '/xxx").hasLineCount(1);
    }

    private static void refused(String socket, String why) {
        assertThat(Invocation.of("who", socket))
                .isEqualTo(new Invocation(ExitCode.FAILURE, "", "holdfast: " + why + "\n"));
    }
}
