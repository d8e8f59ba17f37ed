package io.holdfast.core.wait;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.NobodyJvm;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The threads on which descriptors are closed whose close may block. */
@Timeout(60)
class FdCloserTest {
    private static final int MANY = 100;
    private static final int FEW = 10;

    /** Returns a socket with an unread message: its close may block. */
    private static Fd unread() {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket from = pair[0]) {
            int sent = from.send(ByteBuffer.allocate(1));
            assert sent == 1;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return pair[1].fd();
    }

    @Test
    void closesThatFollowEachOtherShareAThread() {
        String name = "closer-of-this-test";
        try (FdCloser<Integer> closer = new FdCloser<>(name)) {
            OpenDescriptors before = OpenDescriptors.now();
            for (int owner = 0; owner < MANY; owner++) {
                closer.close(owner, unread());
                before.awaitSameNumber();
            }
            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().equals(name))
                    .hasSizeBetween(1, FEW);
        }
    }

    @Test
    void aClosedCloserStillClosesDescriptors() {
        OpenDescriptors before = OpenDescriptors.now();
        FdCloser<String> closer = new FdCloser<>("closer-of-this-test");
        closer.close("a", unread());
        closer.close();
        closer.close("a", unread());
        before.awaitSameNumber();
    }

    /** Runs as a user whose limit of threads is exceeded for a while. */
    static final class WithoutThreads {
        private WithoutThreads() {}

        public static void main(String[] arguments) throws Exception {
            try (FdCloser<String> closer = new FdCloser<>("close")) {
                OpenDescriptors before = OpenDescriptors.now();
                Fd first = unread();
                Fd second = unread();
                Thread.ofVirtual().start(() -> {}).join(); // there are carrier threads
                long[] limit = SysResource.limit(Resource.NPROC.number());
                limit(1, limit[1]);
                closer.close("a", first);
                closer.close("a", second);
                try {
                    LeakDetector.closeWith(new Object(), first);
                } catch (OutOfMemoryError e) {
                    System.out.println("no thread");
                }
                limit(limit[0], limit[1]);
                before.awaitSameNumber(); // without another close
                closer.close("a", unread());
                before.awaitSameNumber();
                LeakDetector.closeWith(new Object(), first);
                System.out.println("done");
            }
        }

        private static void limit(long soft, long hard) {
            int nproc = Resource.NPROC.number();
            ErrnoException.check(SysResource.setLimit(0, nproc, soft, hard), "prlimit", soft);
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aMomentaryLimitOfThreadsIsNotPermanent(@TempDir Path folder) {
        ChildJvm.Result result =
                ChildJvm.run(NobodyJvm.command(folder, List.of(), WithoutThreads.class));
        assertThat(result.output().lines().filter(line -> !line.contains("[warning]")))
                .containsExactly("no thread", "done");
        assertThat(result.status()).isZero();
    }
}
