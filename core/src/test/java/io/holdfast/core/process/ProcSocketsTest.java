package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What /proc shows about the sockets and the memory of a process. */
@Timeout(60)
class ProcSocketsTest {
    @TempDir private Path folder;

    @Test
    void aSocketThatListensIsInTheTableUnderItsInode() {
        Path path = folder.resolve("socket");
        try (PidFd self = PidFd.self()) {
            Set<Long> before = self.proc().sockets();
            try (UnixListener _ =
                    UnixListener.listen(UnixAddress.path(path), SocketType.STREAM, 1)) {
                Set<Long> now = self.proc().sockets();
                String row =
                        self.proc()
                                .network("unix")
                                .lines()
                                .filter(each -> each.endsWith(" " + path))
                                .findFirst()
                                .orElseThrow();
                long inode = Long.parseLong(row.strip().split(" +")[6]);
                assertThat(now).contains(inode);
                assertThat(before).doesNotContain(inode);
            }
        }
    }

    @Test
    void aProcessHasResidentMemory() throws InterruptedException {
        try (PidFd self = PidFd.self();
                Child sleep = Spawn.of("sleep", "600").start()) {
            assertThat(self.proc().residentBytes()).isGreaterThan(1 << 20);
            assertThat(sleep.pidFd().proc().residentBytes()).isPositive();
            assertThat(sleep.signal(Signal.KILL)).isTrue();
            assertThat(sleep.await().isSuccess()).isFalse();
        }
    }
}
