package io.holdfast.interop.hostility;

import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.testkit.LingeringSocket;
import io.holdfast.core.testkit.SilentFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The descriptors that a plain user may send to hurt the receiver when it uses or closes them. */
final class HostileFiles implements AutoCloseable {
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final int NR_USERFAULTFD = ARM ? 282 : 323;
    private static final int O_CLOEXEC = 02000000;

    private final SilentFileSystem fileSystem = SilentFileSystem.make();
    private final LingeringSocket lingering;
    private final UnixSocket[] full = UnixSocket.pair(SocketType.DATAGRAM);
    private final List<Fd> all = new ArrayList<>();

    HostileFiles() throws IOException, InterruptedException {
        lingering = LingeringSocket.make();
        all.add(fileSystem.open());
        all.add(fileSystem.open());
        all.add(lingering.fd().duplicate());
        all.add(PidFd.self().fd());
        all.add(made("epoll_create1", O_CLOEXEC, 0));
        all.add(made("syscall", NR_USERFAULTFD, O_CLOEXEC));
        for (int i = 0; i < 4; i++) {
            int ignored = full[0].send(ByteBuffer.wrap(new byte[1]), List.copyOf(all));
        }
        all.add(full[1].fd().duplicate());
    }

    private static Fd made(String call, long first, long second) {
        int made = Libc.intCall(Libc.bind(call), first, second, 0, 0, 0, 0);
        return Fd.adopt(made, call, "");
    }

    /** Returns the descriptors; lent. */
    List<Fd> all() {
        return all;
    }

    /** Lets every close that waits for one of them return. */
    void release() throws IOException {
        fileSystem.close();
        lingering.end();
    }

    @Override
    public void close() throws IOException {
        release();
        all.forEach(Fd::close);
        full[0].close();
        full[1].close();
        lingering.close();
    }
}
