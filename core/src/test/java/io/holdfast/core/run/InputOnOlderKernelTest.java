package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.Seccomp;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The input of a run where the kernel refuses RWF_NOWAIT for pipes, as before Linux 6.4. */
@Timeout(90)
class InputOnOlderKernelTest {
    private static final int PWRITEV2 = System.getProperty("os.arch").equals("aarch64") ? 287 : 328;

    /** A stream of one line, whose second read blocks until the latch is open. */
    private static final class BlockedStream extends InputStream {
        private final CountDownLatch open = new CountDownLatch(1);
        private boolean read;

        @Override
        public int read() throws IOException {
            throw new IOException("not called");
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            if (!read) {
                read = true;
                into[offset] = '\n';
                return 1;
            }
            try {
                open.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return -1;
        }
    }

    /** Runs in a JVM of its own, whose later threads all inherit the filter. */
    static final class Filtered {
        public static void main(String[] arguments) throws Exception {
            Seccomp.filter(PWRITEV2, Errno.EOPNOTSUPP);
            Path file = Path.of(arguments[0]);
            var _ = Run.of("true").run();
            OpenDescriptors before = OpenDescriptors.now();
            BlockedStream input = new BlockedStream();
            String script =
                    "read line; exec 3<&0; setsid sh -c 'cat <&3; echo end > %s' & :"
                            .formatted(file);

            RunResult result = Run.of("sh", "-c", script).input(input).keepDescendants().run();

            Await.until(() -> Files.exists(file));
            before.awaitSameNumber();
            input.open.countDown();
            System.out.println("succeeded " + result.isSuccess());
        }
    }

    @Test
    void endsWithTheRunAlthoughTheStreamBlocks(@TempDir Path folder) {
        String file = folder.resolve("end").toString();
        ChildJvm.Result result = ChildJvm.run(List.of(), Filtered.class, file);
        assertThat(result.output()).isEqualTo("succeeded true\n");
        assertThat(result.status()).isZero();
    }
}
