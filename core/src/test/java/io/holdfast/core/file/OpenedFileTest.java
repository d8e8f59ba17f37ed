package io.holdfast.core.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.ThreadAttributes;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class OpenedFileTest {
    private static final long USER = 65534;
    private static final long OTHER = 65533;

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private Path file(String name, String content) throws IOException {
        Files.createDirectories(folder.resolve(name).getParent());
        return Files.writeString(folder.resolve(name), content);
    }

    private Path fifo(String name) throws IOException {
        try (Directory directory = Directory.open(folder.toString())) {
            assertThat(directory.makeFifo(name, 0666)).isTrue();
        }
        return folder.resolve(name);
    }

    private static void chown(Path path, long uid) {
        int r = Fcntl.openat(null, path.toString(), Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0);
        try (Fd held = Fd.adopt(r)) {
            assertThat(SysStat.chown(held, uid, uid)).isZero();
        }
    }

    /** A directory that belongs to a user. */
    private Path directoryOf(String name, long uid) throws IOException {
        Path made = Files.createDirectories(folder.resolve(name));
        chown(made, uid);
        return made;
    }

    private Path link(Path link, Path target, long uid) throws IOException {
        Files.createSymbolicLink(link, target);
        chown(link, uid);
        return link;
    }

    private static String read(Path path) throws IOException {
        return read(path, OpenHow.reading());
    }

    private static String read(Path path, OpenHow how) throws IOException {
        try (OpenedFile file = OpenedFile.open(path.toString(), how)) {
            return new String(file.readAll(1000), StandardCharsets.UTF_8);
        }
    }

    private static void assertRefused(Path path, int errno, String why, ThrowingCallable open) {
        assertThatThrownBy(open)
                .isInstanceOfSatisfying(
                        FileException.class, e -> assertThat(e.errno()).isEqualTo(errno))
                .hasMessageStartingWith(path + ": ")
                .hasMessageContaining(why)
                .hasMessageContaining("(" + Errno.name(errno) + ")");
    }

    private static void assertRefused(Path path, int errno, String why) {
        assertRefused(path, errno, why, () -> read(path));
    }

    // ---- kinds of file

    @Test
    void aRegularFileIsReadWhole() throws IOException {
        assertThat(read(file("file", "content"))).isEqualTo("content");
        assertThat(read(Path.of("/proc/self/comm"))).isNotEmpty(); // stat reports the size 0
    }

    @Test
    void aFileIsReadUpToItsBoundAndNotBeyond() throws IOException {
        Path file = file("file", "12345");
        try (OpenedFile opened = OpenedFile.open(file.toString(), OpenHow.reading())) {
            assertThat(opened.readAll(5)).hasSize(5);
        }
        try (OpenedFile opened = OpenedFile.open(file.toString(), OpenHow.reading())) {
            assertRefused(file, Errno.EFBIG, "more than 4 bytes", () -> opened.readAll(4));
        }
    }

    @Test
    void anythingButTheKindThatIsWantedIsNotOpened() throws IOException {
        Path fifo = fifo("fifo");
        assertRefused(fifo, Errno.EINVAL, "is a FIFO, not a regular file");
        assertRefused(folder, Errno.EISDIR, "is a directory, not a regular file");
        assertRefused(Path.of("/"), Errno.EISDIR, "is a directory, not a regular file");
        assertRefused(Path.of("/dev/zero"), Errno.EINVAL, "is a character device");
        Path file = file("file", "x");
        OpenHow pipe = OpenHow.reading().kinds(FileKind.FIFO, FileKind.CHARACTER_DEVICE);
        assertRefused(
                file,
                Errno.EINVAL,
                "is a regular file, not a FIFO or a character device",
                () -> read(file, pipe));
        Path socket = folder.resolve("socket");
        try (UnixListener _ = UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 1)) {
            assertRefused(socket, Errno.EINVAL, "is a socket, not a regular file");
        }
    }

    @Test
    void aMissingFileIsSaidToBeMissing() {
        for (String name : new String[] {"none", "none/below", "file/"}) {
            Path path = Path.of(folder + "/" + name);
            assertThatThrownBy(() -> OpenedFile.open(folder + "/" + name, OpenHow.reading()))
                    .isInstanceOfSatisfying(
                            FileException.class, e -> assertThat(e.isMissing()).isTrue())
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void aPathThatIsNoneIsRefused() {
        for (String path : new String[] {"", "a\0b"}) {
            assertThatThrownBy(() -> OpenedFile.open(path, OpenHow.reading()))
                    .isInstanceOf(FileException.class)
                    .hasMessageContaining("EINVAL");
        }
    }

    // ---- files whose open would wait

    @Test
    void aFifoWithoutAReaderIsRefusedAtOnce() throws IOException {
        Path fifo = fifo("fifo");
        OpenHow how = OpenHow.writing().append().kinds(FileKind.REGULAR, FileKind.FIFO);
        assertRefused(
                fifo,
                Errno.ENXIO,
                "without a reader",
                () -> OpenedFile.open(fifo.toString(), how).close());
        try (Fd reader = Fcntl.open(fifo.toString(), Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
                OpenedFile opened = OpenedFile.open(fifo.toString(), how.blocking())) {
            assertThat(Fcntl.getfl(opened.fd()) & Fcntl.O_NONBLOCK).isZero();
            assertThat(Unistd.write(opened.fd(), new byte[] {'x'}, 0, 1)).isEqualTo(1);
            assertThat(Unistd.read(reader, new byte[2], 0, 2)).isEqualTo(1);
        }
    }

    @Test
    void aFifoShowsWhetherItHasAWriterAndLosesNothing() throws IOException {
        Path fifo = fifo("fifo");
        OpenHow how = OpenHow.reading().kinds(FileKind.FIFO);
        try (OpenedFile opened = OpenedFile.open(fifo.toString(), how)) {
            assertThat(opened.hasWriter()).isFalse();
            try (Fd writer = Fcntl.open(fifo.toString(), Fcntl.O_WRONLY)) {
                assertThat(opened.hasWriter()).isTrue();
                assertThat(Unistd.write(writer, new byte[] {'x', 'y'}, 0, 2)).isEqualTo(2);
            }
            assertThat(opened.hasWriter()).isTrue();
            assertThat(Unistd.read(opened.fd(), new byte[9], 0, 9)).isEqualTo(2);
            assertThat(opened.hasWriter()).isFalse();
        }
    }

    @Test
    @Needs(
            root = true,
            programs = {"gcc", "setpriv"})
    void aFileUnderALeaseIsRefusedAtOnce() throws IOException {
        Path file = file("file", "x");
        chown(folder, USER);
        chown(file, USER);
        try (HostileUser _ = HostileUser.leasing(USER, file)) {
            assertRefused(file, Errno.EAGAIN, "under a lease of another process");
        }
        assertThat(read(file)).isEqualTo("x");
    }

    @Test
    @Needs(
            root = true,
            programs = {"gcc", "setpriv"})
    void aLockDoesNotMatter() throws IOException {
        Path file = file("file", "x");
        chown(folder, USER);
        chown(file, USER);
        try (HostileUser _ = HostileUser.locking(USER, file)) {
            assertThat(read(file)).isEqualTo("x");
        }
    }

    // ---- making files

    @ParameterizedTest
    @ValueSource(ints = {0, 022, 077, 0777})
    void aFileThatIsMadeHasItsPermissionsWhateverTheUmask(int umask) throws Exception {
        OpenHow how = OpenHow.writing().append().creating(0664);
        Path path = folder.resolve("made");
        FutureTask<Void> task =
                new FutureTask<>(() -> {
                    assertThat(ThreadAttributes.umask(umask)).isZero();
                    OpenedFile.open(path.toString(), how).close();
                    Directory.make(folder + "/a/b", 0751).close();
                    return null;
                });
        Thread.ofPlatform().start(task);
        task.get();
        assertThat(permissions(path)).isEqualTo("rw-rw-r--");
        assertThat(permissions(folder.resolve("a"))).isEqualTo("rwxr-x--x");
        assertThat(permissions(folder.resolve("a/b"))).isEqualTo("rwxr-x--x");
    }

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void aFileThatIsThereKeepsItsPermissionsAndIsEmptiedIfThatIsWanted() throws IOException {
        Path file = file("file", "content");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        OpenHow how = OpenHow.writing().creating(0666);
        OpenedFile.open(file.toString(), how).close();
        assertThat(file).hasContent("content");
        OpenedFile.open(file.toString(), how.truncate()).close();
        assertThat(file).isEmptyFile();
        assertThat(permissions(file)).isEqualTo("rw-r-----");
    }

    // ---- links

    @Test
    void linksOfOursAreFollowed() throws IOException {
        Path file = file("a/b/file", "content");
        Files.createSymbolicLink(folder.resolve("absolute"), file);
        Files.createSymbolicLink(folder.resolve("a/up"), Path.of("../a/b"));
        Files.createSymbolicLink(folder.resolve("a/b/again"), Path.of("../../absolute"));
        assertThat(read(folder.resolve("absolute"))).isEqualTo("content");
        assertThat(read(folder.resolve("a/up/file"))).isEqualTo("content");
        assertThat(read(folder.resolve("a/up/again"))).isEqualTo("content");
        assertThat(read(folder.resolve("a/up/../up/./file"))).isEqualTo("content");
    }

    @Test
    void whereNoLinkIsFollowedEachIsRefused() throws IOException {
        Path file = file("a/file", "content");
        Files.createSymbolicLink(folder.resolve("last"), file);
        Files.createSymbolicLink(folder.resolve("first"), Path.of("a"));
        OpenHow how = OpenHow.reading().links(Links.REFUSED);
        assertThat(read(file, how)).isEqualTo("content");
        for (String name : new String[] {"last", "first/file"}) {
            Path path = folder.resolve(name);
            assertRefused(path, Errno.ELOOP, "symbolic link", () -> read(path, how));
        }
    }

    @Test
    void aLoopOfLinksEnds() throws IOException {
        Files.createSymbolicLink(folder.resolve("one"), Path.of("other"));
        Files.createSymbolicLink(folder.resolve("other"), Path.of("one"));
        assertRefused(folder.resolve("one"), Errno.ELOOP, "more than 40 symbolic links");
    }

    @Test
    @Needs(root = true)
    void aLinkOfAUserLeadsToHisOwnFilesOnly() throws IOException {
        Path own = directoryOf("user", USER);
        Path release = directoryOf("user/releases/5", USER);
        chown(file("user/releases/5/env", "his"), USER);
        Path secret = file("secret", "root's");
        Path others = file("other", "another user's");
        chown(others, OTHER);
        link(own.resolve("current"), Path.of("releases/5"), USER);
        link(own.resolve("absolute"), release, USER);
        link(own.resolve("secret"), secret, USER);
        link(own.resolve("other"), others, USER);
        link(own.resolve("up"), Path.of(".."), USER);
        link(own.resolve("null"), Path.of("/dev/null"), USER);

        assertThat(read(own.resolve("current/env"))).isEqualTo("his");
        assertThat(read(own.resolve("absolute/env"))).isEqualTo("his");
        assertRefused(own.resolve("secret"), Errno.ELOOP, "symbolic link of user " + USER);
        assertRefused(own.resolve("up/secret"), Errno.ELOOP, "belongs to user 0");
        assertRefused(own.resolve("other"), Errno.ELOOP, "belongs to user " + OTHER);
        OpenHow device = OpenHow.writing().kinds(FileKind.CHARACTER_DEVICE);
        OpenedFile.open(own.resolve("null").toString(), device).close(); // /dev/null is harmless
        OpenHow creating = OpenHow.writing().creating(0600);
        Path made = own.resolve("up/made");
        assertRefused(
                made,
                Errno.ELOOP,
                "belongs to user 0",
                () -> OpenedFile.open(made.toString(), creating).close());
        Path below = own.resolve("current/made");
        OpenedFile.open(below.toString(), creating).close();
        assertThat(release.resolve("made")).exists();
        assertThat(folder.resolve("made")).doesNotExist();
        assertThatThrownBy(() -> Directory.make(own + "/up/directory", 0755))
                .isInstanceOf(FileException.class)
                .hasMessageContaining("ELOOP");
        assertThat(folder.resolve("directory")).doesNotExist();
    }

    @Test
    @Needs(root = true)
    void linksOfTwoUsersDoNotMix() throws IOException {
        Path one = directoryOf("one", USER);
        Path other = directoryOf("other", OTHER);
        chown(file("one/file", "x"), USER);
        link(other.resolve("step"), one.resolve("file"), OTHER);
        link(one.resolve("step"), other.resolve("step"), USER);
        assertRefused(one.resolve("step"), Errno.ELOOP, "after one of user " + USER);
    }

    @Test
    @Needs(root = true)
    void aLinkThatRootHasGivenAwayInItsOwnDirectoryIsFollowed() throws IOException {
        Path target = file("target", "x");
        link(folder.resolve("link"), target, USER);
        assertThat(read(folder.resolve("link"))).isEqualTo("x");
    }

    @Test
    @Needs(root = true)
    void aHardLinkToRootsFileInAUsersDirectoryIsRefused() throws IOException {
        Path own = directoryOf("user", USER);
        Path secret = file("secret", "root's");
        Path fifo = fifo("fifo");
        Files.createLink(own.resolve("file"), secret);
        Files.createLink(own.resolve("fifo"), fifo);
        Path target = link(folder.resolve("link"), secret, 0);
        Files.createLink(own.resolve("link"), target);
        assertRefused(own.resolve("file"), Errno.EMLINK, "one of 2 hard links");
        assertRefused(own.resolve("link"), Errno.ELOOP, "hard links");
        OpenHow how = OpenHow.reading().kinds(FileKind.FIFO);
        Path path = own.resolve("fifo");
        assertRefused(path, Errno.EMLINK, "file of user 0", () -> read(path, how));

        assertThat(read(secret)).isEqualTo("root's"); // in a directory that belongs to root
        Path his = file("user/his", "his");
        chown(his, USER);
        Files.createLink(own.resolve("again"), his);
        assertThat(read(his)).isEqualTo("his");
        file("user/roots", "made by root");
        assertThat(read(own.resolve("roots"))).isEqualTo("made by root");
    }

    // ---- below a held directory

    @Test
    void aPathBelowADirectoryDoesNotLeadOutOfIt() throws IOException {
        file("secret", "x");
        file("in/a/file", "content");
        Files.createSymbolicLink(folder.resolve("in/out"), folder.resolve("secret"));
        Files.createSymbolicLink(folder.resolve("in/up"), Path.of("../secret"));
        Files.createSymbolicLink(folder.resolve("in/inside"), Path.of("a/file"));
        try (Directory directory = Directory.open(folder + "/in")) {
            directory.open("a/file", OpenHow.reading()).close();
            directory.open("inside", OpenHow.reading()).close();
            for (String name : new String[] {"out", "up", "../secret", "a/../a/file", "/secret"}) {
                assertThatThrownBy(() -> directory.open(name, OpenHow.reading()))
                        .as(name)
                        .isInstanceOfSatisfying(
                                FileException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.EXDEV));
            }
        }
    }

    @Test
    void whatIsHeldStaysThoughItIsRenamed() throws IOException {
        file("before/file", "the one that was meant");
        try (Directory directory = Directory.open(folder + "/before")) {
            Files.move(folder.resolve("before"), folder.resolve("after"));
            file("before/file", "another");
            try (OpenedFile opened = directory.open("file", OpenHow.reading())) {
                assertThat(opened.readAll(100)).asString().isEqualTo("the one that was meant");
            }
        }
    }

    @Test
    void aFailureIsTheSameAsAnUncheckedOne() {
        FileException missing = FileException.of("/p", "open", Errno.ENOENT);
        assertThat(missing.asErrno("bind", "/p/x"))
                .hasMessage("bind /p/x: ENOENT (no such file or directory)")
                .isInstanceOf(ErrnoException.class);
        FileException refusal = FileException.refusal("/p", "is bad", Errno.EINVAL, "mend it");
        assertThat(refusal).hasMessage("/p: is bad (EINVAL); mend it");
        assertThat(refusal.asErrno("bind", "/p/x"))
                .hasMessageContaining("is bad (EINVAL); mend it");
    }
}
