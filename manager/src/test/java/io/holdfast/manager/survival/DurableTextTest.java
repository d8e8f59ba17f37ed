package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class DurableTextTest {
    private static final int PLACE = 2048;

    @TempDir private Path folder;
    private final DurableText text = DurableText.make("test", 7, -8);
    private final Fd[] pipe = Unistd.pipe2(0);

    @AfterEach
    void close() {
        text.close();
        pipe[0].close();
        pipe[1].close();
    }

    private DurableText again() {
        return DurableText.open(text.file().duplicate());
    }

    private void write(String line) {
        byte[] bytes = line.getBytes(UTF_8);
        assertThat(Unistd.write(pipe[1], bytes, 0, bytes.length)).isEqualTo(bytes.length);
    }

    private static String read(DurableText from, long at) {
        byte[] into = new byte[100];
        return new String(into, 0, from.read(at, into, into.length), UTF_8);
    }

    @Test
    void theNextOneHasNumbersPositionAndText() {
        assertThat(text.fill(pipe[0], 100)).isEqualTo(-Errno.EAGAIN);
        write("one\ntwo\n");
        assertThat(text.fill(pipe[0], 5)).isEqualTo(5);
        text.commit(9, 10, 11);
        assertThat(text.fill(pipe[0], 100)).isEqualTo(3);
        try (DurableText next = again()) {
            assertThat(next.committed()).containsExactly(9, 10, 11);
            assertThat(next.position()).isEqualTo(DurableText.START + 8);
            assertThat(read(next, DurableText.START)).isEqualTo("one\ntwo\n");
            assertThat(next.fill((byte) '!')).isEqualTo(1);
            next.commit(12);
        }
        try (DurableText next = again()) {
            assertThat(next.committed()).containsExactly(12);
            assertThat(read(next, DurableText.START + 4)).isEqualTo("two\n!");
        }
    }

    @Test
    void numbersThatAreHalfWrittenDoNotCount() {
        text.commit(1, 2); // in the first place, as the second was written first
        try (DurableText next = again()) {
            assertThat(next.committed()).containsExactly(1, 2);
        }
        for (int at = 0; at < 48; at++) {
            byte[] was = new byte[1];
            assertThat(Unistd.pread(text.file(), was, 0, 1, at)).isEqualTo(1);
            byte[] other = {(byte) (was[0] ^ 1)};
            assertThat(Unistd.pwrite(text.file(), other, 0, 1, at)).isEqualTo(1);
            try (DurableText next = again()) {
                assertThat(next.committed()).as("byte %d", at).containsExactly(7, -8);
            }
            assertThat(Unistd.pwrite(text.file(), was, 0, 1, at)).isEqualTo(1);
        }
        byte[] nothing = new byte[PLACE];
        assertThat(Unistd.pwrite(text.file(), nothing, 0, PLACE, 0)).isEqualTo(PLACE);
        assertThat(Unistd.pwrite(text.file(), nothing, 0, PLACE, PLACE)).isEqualTo(PLACE);
        assertThatIllegalArgumentException().isThrownBy(this::again);
    }

    @Test
    void anotherFileIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DurableText.open(SysMemfd.make("another")));
    }

    @Test
    void memoryFarBehindIsGivenBackInWholePages() {
        byte[] much = new byte[60_000];
        Arrays.fill(much, (byte) 'x');
        for (int i = 0; i < 5; i++) {
            text.write(DurableText.START + i * 60_000L, much, much.length);
        }
        text.free(DurableText.START + 60_000); // too little to be freed
        assertThat(read(text, DurableText.START)).startsWith("xx");
        text.free(DurableText.START + 200_001);
        assertThat(read(text, DurableText.START)).startsWith("\0\0");
        assertThat(read(text, DurableText.START + 200_001)).startsWith("xx");
        assertThat(read(text, (DurableText.START + 200_001) / 4096 * 4096 - 1)).startsWith("\0x");
        assertThat(text.committed()).containsExactly(7, -8);
    }

    @Test
    void aReaderGetsWhatFollowsThePosition() {
        byte[] lines = "one\ntwo\n".getBytes(UTF_8);
        text.write(DurableText.START, lines, lines.length);
        assertThat(text.send(pipe[1], 4)).isEqualTo(4);
        try (DurableText next = again()) {
            assertThat(next.send(pipe[1], 100)).isEqualTo(4);
        }
        byte[] taken = new byte[100];
        int n = Unistd.read(pipe[0], taken, 0, taken.length);
        assertThat(new String(taken, 0, n, UTF_8)).isEqualTo("one\ntwo\n");
    }

    @Test
    void aReaderThatTakesNoTransferGetsACopy() throws Exception {
        byte[] lines = "one\ntwo\n".getBytes(UTF_8);
        text.write(DurableText.START, lines, lines.length);
        Path path = Files.writeString(folder.resolve("log"), "before\n");
        try (Fd appended = Fcntl.open(path.toString(), Fcntl.O_WRONLY | Fcntl.O_APPEND)) {
            assertThat(text.send(appended, 8)).isEqualTo(-Errno.EINVAL);
            assertThat(text.sendCopy(appended, 4)).isEqualTo(4);
            try (DurableText next = again()) {
                assertThat(next.sendCopy(appended, 100)).isEqualTo(4);
                assertThat(next.position()).isEqualTo(DurableText.START + 8);
            }
        }
        assertThat(path).hasContent("before\none\ntwo\n");
    }
}
