package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class KernelFileTest {
    @TempDir Path folder;

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("file"), content);
    }

    @Test
    void aFileOfProcIsReadWholeThoughItsSizeIsZero() {
        String status = KernelFile.text(null, "/proc/self/status");
        assertThat(status).startsWith("Name:").doesNotEndWith("\n");
        assertThat(status).contains("\nPid:\t" + ProcessHandle.current().pid() + "\n");
    }

    @Test
    void filesOfEverySizeAroundTheChunksAreReadWhole() throws IOException {
        for (int size : new int[] {0, 1, 8191, 8192, 8193, 16_384, 100_000}) {
            byte[] content = new byte[size];
            Arrays.fill(content, (byte) size);
            assertThat(KernelFile.read(null, file(content).toString())).isEqualTo(content);
        }
    }

    @Test
    void aFileAtTheLimitIsReadAndALargerOneRefused() throws IOException {
        Path path = folder.resolve("large");
        try (RandomAccessFile large = new RandomAccessFile(path.toFile(), "rw")) {
            large.setLength(KernelFile.LIMIT - 1);
            assertThat(KernelFile.read(null, path.toString())).hasSize(KernelFile.LIMIT - 1);
            large.setLength(KernelFile.LIMIT + 1L);
            assertThatThrownBy(() -> KernelFile.read(null, path.toString()))
                    .isInstanceOf(ErrnoException.class)
                    .hasMessageContaining("EFBIG")
                    .hasMessageContaining(path.toString());
        }
    }

    @Test
    void onlyTheLastNewlineIsLeftOut() throws IOException {
        assertThat(KernelFile.text(null, file(new byte[] {'a', '\n', '\n'}).toString()))
                .isEqualTo("a\n");
        assertThat(KernelFile.text(null, file(new byte[] {'\n'}).toString())).isEmpty();
        assertThat(KernelFile.text(null, file(new byte[0]).toString())).isEmpty();
    }

    @Test
    void aNameIsRelativeToTheHeldFolderThoughItIsRenamed() throws IOException {
        Path before = Files.createDirectory(folder.resolve("before"));
        Files.writeString(before.resolve("name"), "the one that was meant");
        try (Fd held = Fcntl.open(before.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            Files.move(before, folder.resolve("after"));
            Files.createDirectory(before);
            Files.writeString(before.resolve("name"), "another");
            assertThat(KernelFile.text(held, "name")).isEqualTo("the one that was meant");
            assertThat(KernelFile.write(held, "name", "written")).isZero();
        }
        assertThat(folder.resolve("after/name")).hasContent("written that was meant");
    }

    @Test
    void aFailedWriteIsAValueAndNothingStaysOpen() {
        OpenDescriptors before = OpenDescriptors.now();
        assertThat(KernelFile.write(null, "/no/such/file", "x")).isEqualTo(-Errno.ENOENT);
        assertThat(KernelFile.write(null, folder.toString(), "x")).isEqualTo(-Errno.EISDIR);
        assertThat(KernelFile.write(null, "/proc/self/oom_score_adj", "nonsense"))
                .isEqualTo(-Errno.EINVAL);
        assertThatThrownBy(() -> KernelFile.read(null, folder.toString()))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("read " + folder + ": EISDIR (a directory)");
        before.awaitSameNumber();
    }

    @Test
    void aNameWithANulIsRefusedBeforeAnyCall() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> KernelFile.read(null, "/proc/self/status\0.txt"))
                .withMessageContaining("NUL");
    }
}
