package io.holdfast.core.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.Unistd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/**
 * A FUSE file system whose server lets its root folder be opened, and refuses and records every
 * other request: a real attacker's server would answer none, and block the requesting thread. Needs
 * root and {@code /dev/fuse}.
 */
public final class SilentFuse implements AutoCloseable {
    // linux/fuse.h
    private static final int GETATTR = 3;
    private static final int INIT = 26;
    private static final int OPENDIR = 27;
    private static final int ENOSYS = 38;
    private static final int OUT_HEADER = 16;
    private static final int INIT_OUT = 64;
    private static final int OPEN_OUT = 16;
    private static final int ATTR_OUT = 104;
    private static final int FOLDER = 040755;
    private static final int REQUEST = 1 << 17;

    private final Fd device;
    private final Fd mount;
    private final Fd root;
    private final Thread server;
    private final List<Integer> refused = new CopyOnWriteArrayList<>();

    private SilentFuse(Fd device, Fd mount) {
        this.device = device;
        this.mount = mount;
        this.server = Thread.ofPlatform().daemon().name("fuse").start(this::serve);
        int flags = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_CLOEXEC;
        this.root = Fcntl.open(mount, ".", flags, 0);
    }

    /** Mounts it, without a place in the file system. */
    public static SilentFuse mount() {
        Fd device;
        Fd mount;
        try {
            device = Fcntl.open("/dev/fuse", Fcntl.O_RDWR | Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK);
        } catch (ErrnoException e) {
            assumeTrue(false, "needs /dev/fuse: " + e.getMessage());
            throw e;
        }
        try {
            mount =
                    device.with(number ->
                            SysMount.fileSystem(
                                    "fuse",
                                    Map.of(
                                            "fd",
                                            Integer.toString(number),
                                            "rootmode",
                                            "40000",
                                            "user_id",
                                            "0",
                                            "group_id",
                                            "0"),
                                    0));
        } catch (ErrnoException e) {
            device.close();
            assumeTrue(false, "needs FUSE: " + e.getMessage());
            throw e;
        }
        return new SilentFuse(device, mount);
    }

    /** Returns the open root folder; lent. */
    public Fd root() {
        return root;
    }

    /** Returns the codes of the requests that were refused. */
    public List<Integer> refused() {
        return List.copyOf(refused);
    }

    private void serve() {
        ByteBuffer request = ByteBuffer.allocateDirect(REQUEST).order(ByteOrder.nativeOrder());
        try {
            while (true) {
                long n = Unistd.read(device, MemorySegment.ofBuffer(request));
                if (n < 0) {
                    int ready = Readiness.await(device, Readiness.IN);
                    if ((ready & Readiness.IN) == 0) {
                        return; // unmounted
                    }
                } else {
                    answer(request.getInt(4), request.getLong(8));
                }
            }
        } catch (InterruptedException | ErrnoException e) {
            // closed
        }
    }

    private void answer(int code, long unique) {
        int length =
                switch (code) {
                    case INIT -> INIT_OUT;
                    case OPENDIR -> OPEN_OUT;
                    case GETATTR -> ATTR_OUT;
                    default -> 0;
                };
        byte[] reply = new byte[OUT_HEADER + length];
        ByteBuffer out = ByteBuffer.wrap(reply).order(ByteOrder.nativeOrder());
        out.putInt(0, reply.length).putInt(4, length == 0 ? -ENOSYS : 0).putLong(8, unique);
        switch (code) {
            case INIT -> out.putInt(OUT_HEADER, 7).putInt(OUT_HEADER + 4, 31);
            case GETATTR -> {
                out.putLong(OUT_HEADER, TimeUnit.DAYS.toSeconds(1)); // valid so long
                out.putLong(OUT_HEADER + 16, 1); // the inode
                out.putInt(OUT_HEADER + 76, FOLDER).putInt(OUT_HEADER + 80, 2);
            }
            case OPENDIR -> {}
            default -> refused.add(code);
        }
        int ignored = Unistd.write(device, reply, 0, reply.length);
    }

    @Override
    public void close() throws InterruptedException {
        root.close();
        mount.close();
        server.interrupt();
        server.join();
        device.close();
    }
}
