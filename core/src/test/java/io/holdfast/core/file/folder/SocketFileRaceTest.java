package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.FileStatus;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sockets of root in the directories of a user. */
@Timeout(60)
@Needs(
        root = true,
        programs = {"gcc", "setpriv"})
class SocketFileRaceTest {
    private static final long USER = 65534;
    private static final int ROUNDS = 300;

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    private Path own;

    @BeforeEach
    void open() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        own = make("user", USER);
    }

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private Path make(String name, long uid) throws IOException {
        Path path = folder.resolve(name);
        try (Directory made = Directory.make(path.toString(), 0755)) {
            made.chown(uid, uid);
        }
        return path;
    }

    private static UnixListener listen(Path path) {
        return UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 1, 0666);
    }

    /** A file of root outside is the target: neither its permissions nor its name may change. */
    @Test
    void aDirectoryThatIsExchangedForALinkLeadsNowhereElse() throws IOException {
        Path outside = make("outside", 0);
        Path inner = make("user/in", USER);
        Files.createSymbolicLink(own.resolve("link"), outside);
        Path victim = Files.writeString(outside.resolve("socket"), "root's");
        FileStatus as = SysStat.stat(victim.toString());
        int listened = 0;
        try (HostileUser _ = HostileUser.exchanging(USER, inner, own.resolve("link"))) {
            for (int i = 0; i < ROUNDS || (i < 50 * ROUNDS && listened == 0); i++) {
                try (UnixListener _ = listen(inner.resolve(i % 2 == 0 ? "socket" : "new"))) {
                    listened++;
                } catch (ErrnoException e) {
                    assertThat(e).hasMessageContaining(inner.toString());
                }
                assertThat(SysStat.stat(victim.toString())).isEqualTo(as);
            }
        }
        assertThat(listened).isPositive();
        assertThat(outside.toFile().list()).containsExactly("socket");
        assertThat(victim).hasContent("root's");
    }

    @Test
    void theFileThatIsExchangedForAnotherSocketOfRootsGivesNothingAway() throws IOException {
        Path secret = own.resolve("secret");
        Path socket = own.resolve("socket");
        Path decoy = Files.createFile(own.resolve("decoy"));
        try (UnixListener _ =
                        UnixListener.listen(UnixAddress.path(secret), SocketType.STREAM, 1, 0600);
                HostileUser _ = HostileUser.exchanging(USER, secret, decoy)) {
            long inode = inodeOfSocket(secret, decoy);
            for (int i = 0; i < ROUNDS; i++) {
                try (UnixListener _ = listen(socket)) {
                    Files.deleteIfExists(socket);
                } catch (ErrnoException e) {
                    assertThat(e).hasMessageContaining("EADDRINUSE");
                }
            }
            for (Path path : new Path[] {secret, decoy}) {
                FileStatus now = SysStat.stat(path.toString());
                if (now.inode() == inode) {
                    assertThat(now.permissions()).isEqualTo(0600);
                }
            }
        }
    }

    private static long inodeOfSocket(Path one, Path other) {
        for (; ; ) {
            for (Path path : new Path[] {one, other}) {
                FileStatus stat = SysStat.stat(path.toString());
                if (stat.isSocket()) {
                    return stat.inode();
                }
            }
        }
    }

    @Test
    void aSocketInAnInnerDirectoryOfAUsersIsServedAtItsPath() throws Exception {
        Path inner = make("user/in", USER);
        UnixAddress address = UnixAddress.path(inner.resolve("socket"));
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1, 0666)) {
            assertThat(listener.address()).isEqualTo(address);
            try (UnixSocket _ = UnixSocket.connect(address, SocketType.STREAM);
                    UnixSocket accepted = listener.accept()) {
                assertThat(accepted.localAddress().toString())
                        .as("it could not be bound by its path")
                        .startsWith("/proc/self/fd/");
            }
        }
        assertThat(inner).isEmptyDirectory();
        UnixAddress outer = UnixAddress.path(own.resolve("socket"));
        try (UnixListener listener = UnixListener.listen(outer, SocketType.STREAM, 1, 0666);
                UnixSocket client = UnixSocket.connect(outer, SocketType.STREAM);
                UnixSocket _ = listener.accept()) {
            assertThat(client.remoteAddress())
                    .as("only root can move its directory")
                    .isEqualTo(outer);
        }
    }
}
