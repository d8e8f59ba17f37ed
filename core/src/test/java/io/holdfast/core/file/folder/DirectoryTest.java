package io.holdfast.core.file.folder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DirectoryTest {
    private static final long USER = 65534;

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    @Test
    void namesAreMadeFoundAndRemoved() throws IOException {
        try (Directory directory = Directory.open(folder.toString())) {
            assertThat(directory.makeDirectory("d", 0700)).isTrue();
            assertThat(directory.makeDirectory("d", 0700)).isFalse();
            assertThat(directory.makeFifo("f", 0600)).isTrue();
            assertThat(directory.makeFifo("f", 0600)).isFalse();
            assertThat(directory.link("l", "d/x")).isTrue();
            assertThat(directory.link("l", "other")).isFalse();
            assertThat(directory.linkTarget("l")).contains("d/x");
            assertThat(directory.linkTarget("d")).isEmpty();
            assertThat(directory.names(10)).containsExactlyInAnyOrder("d", "f", "l");
            assertThat(directory.names(2)).hasSize(2);
            assertThat(FileKind.of(directory.stat("l").orElseThrow()))
                    .isEqualTo(FileKind.SYMBOLIC_LINK);
            assertThat(directory.stat("none")).isEmpty();
            assertThat(directory.remove("l")).isTrue();
            assertThat(directory.remove("l")).isFalse();
            assertThatThrownBy(() -> directory.remove("d"))
                    .isInstanceOf(FileException.class)
                    .hasMessage(folder + "/d: unlink: a directory (EISDIR)");
            assertThatThrownBy(() -> directory.enter("f"))
                    .isInstanceOf(FileException.class)
                    .hasMessage(folder + "/f: not a directory (ENOTDIR)");
            try (Directory inner = directory.enter("d")) {
                inner.chmod(0751);
                assertThat(inner.path()).isEqualTo(folder + "/d");
            }
            assertThat(Files.getPosixFilePermissions(folder.resolve("d")))
                    .isEqualTo(PosixFilePermissions.fromString("rwxr-x--x"));
            directory.remove("f");
        }
    }

    @Test
    void onlyANameIsTakenForAName() throws IOException {
        try (Directory directory = Directory.open(folder.toString())) {
            for (String name : new String[] {"", ".", "..", "a/b", "/", "a\0"}) {
                assertThatIllegalArgumentException().isThrownBy(() -> directory.remove(name));
                assertThatIllegalArgumentException().isThrownBy(() -> directory.enter(name));
            }
        }
    }

    @Test
    void aManyNamesAndStrangeOnesAreListed() throws IOException {
        for (int i = 0; i < 1000; i++) {
            Files.createFile(folder.resolve("a rather long name of a file, number " + i));
        }
        try (Directory directory = Directory.open(folder.toString())) {
            assertThat(directory.names(Integer.MAX_VALUE)).hasSize(1000).doesNotHaveDuplicates();
            String bytes = "\udcff\udcfe"; // not UTF-8
            assertThat(directory.makeDirectory(bytes, 0700)).isTrue();
            assertThat(directory.names(Integer.MAX_VALUE)).contains(bytes);
            directory.enter(bytes).close();
            assertThat(SysStat.rmdirat(directory.fd(), bytes)).isZero();
        }
    }

    @Test
    @Needs(root = true)
    void aPathIsStableWhereOnlyRootCanChangeIt() throws IOException {
        Files.createDirectories(folder.resolve("root/inner"));
        Files.createDirectories(folder.resolve("user/inner/below"));
        try (Directory user = Directory.open(folder + "/user")) {
            user.chown(USER, -1);
        }
        assertThat(isStable("root/inner")).isTrue();
        assertThat(isStable("user")).as("its name is in a directory of root's").isTrue();
        assertThat(isStable("user/inner")).isFalse();
        assertThat(isStable("user/inner/below")).isFalse();
        Files.setPosixFilePermissions(
                folder.resolve("root"), PosixFilePermissions.fromString("rwxrwxrwx"));
        assertThat(isStable("root/inner")).isFalse();
        try (Directory root = Directory.open(folder + "/root")) {
            root.chmod(01777);
        }
        assertThat(isStable("root/inner")).as("sticky, and root's").isTrue();
        try (Directory inner = Directory.open(folder + "/root/inner")) {
            inner.chown(USER, -1);
        }
        assertThat(isStable("root/inner")).isFalse();
        assertThat(isStable(".")).isTrue();
    }

    private boolean isStable(String name) throws IOException {
        try (Directory directory = Directory.open(folder + "/" + name)) {
            return directory.isStable();
        }
    }

    @Test
    void aFileIsHeldWhateverItIs() throws IOException {
        Files.createSymbolicLink(folder.resolve("link"), Path.of("none"));
        try (Directory directory = Directory.open(folder.toString());
                Fd held = directory.hold("link")) {
            assertThat(FileKind.of(SysStat.stat(held))).isEqualTo(FileKind.SYMBOLIC_LINK);
            assertThatThrownBy(() -> directory.hold("none"))
                    .isInstanceOf(FileException.class)
                    .hasMessage(folder + "/none: no such file or directory (ENOENT)");
        }
    }

    @Test
    void aPathIsTakenApart() {
        assertThat(Directory.parentOf("/run/x")).isEqualTo("/run/");
        assertThat(Directory.parentOf("x")).isEqualTo(".");
        assertThat(Directory.nameOf("/run/x")).isEqualTo("x");
        assertThat(Directory.nameOf("x")).isEqualTo("x");
    }
}
