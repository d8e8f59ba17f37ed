package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.LockHog;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LockFileTest {
    private static final String NAME = "lock";

    @TempDir private Path temp;
    private Path folder = Path.of("/");
    private Fd fd = Fcntl.open("/", Fcntl.O_PATH);

    @BeforeEach
    void open() throws Exception {
        fd.close();
        Files.setAttribute(temp, "unix:mode", 0755);
        folder = Files.setAttribute(Files.createDirectory(temp.resolve("f")), "unix:mode", 0755);
        fd = Fcntl.open(folder.toString(), Fcntl.O_PATH);
    }

    @AfterEach
    void close() {
        fd.close();
    }

    private Path file() {
        return folder.resolve(NAME);
    }

    private Optional<LockFile> take() {
        return LockFile.tryTake(fd, NAME);
    }

    @Test
    void oneAtATimeHasIt() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        try (LockFile lock = take().orElseThrow()) {
            assertThat(Files.getAttribute(file(), "unix:mode")).isEqualTo(0100600);
            assertThat(take()).isEmpty();
            assertThat(lock.file().isOpen()).isTrue();
        }
        assertThat(folder).isEmptyDirectory();
        LockFile closed = take().orElseThrow();
        closed.close();
        try (LockFile other = take().orElseThrow()) {
            closed.close();
            assertThat(file()).exists();
            assertThat(other.file().isOpen()).isTrue();
        }
        before.awaitSameNumber();
    }

    @Test
    void aFileThatWasLeftIsTaken() throws Exception {
        Files.setAttribute(Files.createFile(file()), "unix:mode", 0600);
        Object inode = Files.getAttribute(file(), "unix:ino");
        try (LockFile lock = take().orElseThrow()) {
            assertThat(lock.file().isOpen()).isTrue();
            assertThat(Files.getAttribute(file(), "unix:ino")).isEqualTo(inode);
        }
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "python3"})
    void whoMayNotOpenTheFileCannotKeepItsLock() throws Exception {
        try (LockFile lock = take().orElseThrow();
                LockHog hog = LockHog.of(file())) {
            assertThat(lock.file().isOpen()).isTrue();
            assertThat(hog.taken()).isEmpty();
        }
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "python3"})
    void anOlderFileWhoseLockAnotherUserKeepsIsReplaced() throws Exception {
        Files.setAttribute(Files.createFile(file()), "unix:mode", 0644);
        try (LockHog hog = LockHog.of(file())) {
            assertThat(hog.taken()).hasSize(1);
            try (LockFile lock = take().orElseThrow();
                    LockHog again = LockHog.of(file())) {
                assertThat(lock.file().isOpen()).isTrue();
                assertThat(again.taken()).isEmpty();
                assertThat(take()).isEmpty();
            }
        }
    }

    @Test
    @Needs(root = true)
    void aFileOfAnotherUserIsReplaced() throws Exception {
        Files.setAttribute(Files.createFile(file()), "unix:mode", 0600);
        Files.setAttribute(file(), "unix:uid", 65534);
        try (LockFile lock = take().orElseThrow()) {
            assertThat(lock.file().isOpen()).isTrue();
            assertThat(Files.getAttribute(file(), "unix:uid")).isEqualTo(0);
        }
    }

    @Test
    void whatIsNoFileIsReplacedButForAFolder() throws Exception {
        Path target = Files.createFile(temp.resolve("target"));
        Files.createSymbolicLink(file(), target);
        try (LockFile lock = take().orElseThrow()) {
            assertThat(lock.file().isOpen()).isTrue();
            assertThat(file()).isRegularFile();
            assertThat(Files.isSymbolicLink(file())).isFalse();
        }
        ErrnoException.check(SysStat.mkfifoat(fd, NAME, 0600), "mkfifo", NAME);
        try (LockFile lock = take().orElseThrow()) {
            assertThat(lock.file().isOpen()).isTrue();
            assertThat(file()).isRegularFile();
        }
        assertThat(target).exists();
        Files.createDirectory(file());
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(this::take)
                .matches(e -> e.errno() == Errno.EISDIR);
    }
}
