package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysIoctl;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How streams and channels treat the kinds of files: their ends, errors and limits. */
@Timeout(60)
class FdTransferTest {
    /** A pseudo-terminal in blocking mode: the master side and the slave side. */
    private static Fd[] terminal() {
        Fd master = Fcntl.open("/dev/ptmx", Fcntl.O_RDWR | Fcntl.O_NOCTTY);
        assertThat(SysIoctl.unlock(master)).isZero();
        int flags = Fcntl.O_RDWR | Fcntl.O_NOCTTY | Fcntl.O_CLOEXEC;
        return new Fd[] {master, Fd.adopt(SysIoctl.peer(master, flags), "peer", master)};
    }

    @Test
    void theMasterSideEndsWhenTheSlaveSideIsClosed() throws IOException {
        Fd[] terminal = terminal();
        terminal[1].close();
        try (FdInputStream in = FdInputStream.borrowing(terminal[0]);
                FdChannel channel = new FdChannel(terminal[0])) {
            assertThat(in.read()).isEqualTo(-1);
            assertThat(channel.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void anInputErrorOfAnotherFileIsNoEnd() throws IOException {
        Fd unmapped = Fcntl.open("/proc/self/mem", Fcntl.O_RDONLY); // nothing is at the address 0
        try (FdInputStream in = FdInputStream.borrowing(unmapped);
                FdChannel channel = new FdChannel(unmapped)) {
            assertThatThrownBy(in::read)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EIO");
            assertThatThrownBy(() -> channel.read(ByteBuffer.allocate(1)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("EIO");
        }
    }
}
