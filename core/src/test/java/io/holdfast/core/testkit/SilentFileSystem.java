package io.holdfast.core.testkit;

import io.holdfast.core.ClosedException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A FUSE file system that never answers FLUSH, which the kernel sends at each close(2) of a file in
 * it, so that each such close takes until the file system is closed, and not even SIGKILL ends it.
 * A user can make one in a user namespace, and send its files to a daemon.
 *
 * <p>It is mounted nowhere. Needs root and {@code /dev/fuse}.
 */
public final class SilentFileSystem implements AutoCloseable {
    /** The device to be named in {@link Needs}. */
    public static final String DEVICE = "/dev/fuse";

    // linux/fuse.h
    private static final int LOOKUP = 1;
    private static final int GETATTR = 3;
    public static final int OPEN = 14;
    public static final int STATFS = 17;
    private static final int FLUSH = 25;
    private static final int INIT = 26;
    private static final int FORGET = 2;
    private static final int BATCH_FORGET = 42;
    private static final int INTERRUPT = 36;
    private static final int OUT_HEADER = 16;
    private static final int ATTR = 88;
    private static final int ROOT_NODE = 1;
    private static final int DIRECTORY = 040777;
    private static final int FILE = 0100666;
    private static final int ENOSYS = 38;
    private static final long VALID_SECONDS = 3600;
    private static final int BUFFER = 1 << 20;

    private final Fd device;
    private final Fd tree;
    private final Set<Integer> requests;

    private SilentFileSystem(Fd device, Fd tree, Set<Integer> requests) {
        this.device = device;
        this.tree = tree;
        this.requests = requests;
    }

    /** Makes one. */
    public static SilentFileSystem make() {
        Fd device = Fcntl.open(DEVICE, Fcntl.O_RDWR | Fcntl.O_NONBLOCK);
        Set<Integer> requests = ConcurrentHashMap.newKeySet();
        Thread.ofPlatform().daemon().name("silent-fs").start(() -> serve(device, requests));
        String number = device.with(Integer::toString);
        Map<String, String> options =
                Map.of("fd", number, "rootmode", "40000", "user_id", "0", "group_id", "0");
        Fd tree = MountTree.fileSystem("fuse", options).open();
        return new SilentFileSystem(device, tree, requests);
    }

    /** Returns the kinds of the kernel's requests, as in {@code linux/fuse.h}. */
    public Set<Integer> requests() {
        return Set.copyOf(requests);
    }

    /** Opens a file in it. */
    public Fd open() {
        return Fd.adopt(Fcntl.openat(tree, "file", Fcntl.O_RDWR, 0), "openat", "file");
    }

    private static void serve(Fd device, Set<Integer> requests) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(BUFFER, 8);
            for (; ; ) {
                int _ = Readiness.await(device, Readiness.IN);
                if (Unistd.read(device, memory) > 0) {
                    ByteBuffer request = memory.asByteBuffer().order(ByteOrder.nativeOrder());
                    requests.add(request.getInt(4));
                    answer(device, request, arena);
                }
            }
        } catch (ClosedException | InterruptedException e) {
            // closed
        } catch (ErrnoException e) {
            // the file system is not mounted any more
        }
    }

    private static void answer(Fd device, ByteBuffer request, Arena arena) {
        int operation = request.getInt(4);
        long node = request.getLong(16);
        ByteBuffer reply =
                switch (operation) {
                    case INIT -> reply(64).putInt(0, 7).putInt(4, 31).putInt(20, 1 << 16);
                    case LOOKUP -> {
                        ByteBuffer entry = reply(40 + ATTR);
                        entry.putLong(0, ROOT_NODE + 1).putLong(16, VALID_SECONDS);
                        entry.putLong(24, VALID_SECONDS);
                        yield attributes(entry, 40, FILE);
                    }
                    case GETATTR ->
                            attributes(
                                    reply(16 + ATTR).putLong(0, VALID_SECONDS),
                                    16,
                                    node == ROOT_NODE ? DIRECTORY : FILE);
                    case OPEN -> reply(16);
                    default -> reply(0);
                };
        if (operation == FLUSH
                || operation == FORGET
                || operation == BATCH_FORGET
                || operation == INTERRUPT) {
            return;
        }
        MemorySegment out = arena.allocate(OUT_HEADER + reply.limit(), 8);
        ByteBuffer bytes = out.asByteBuffer().order(ByteOrder.nativeOrder());
        bytes.putInt(0, bytes.limit());
        bytes.putInt(4, reply.limit() == 0 ? -ENOSYS : 0);
        bytes.putLong(8, request.getLong(8));
        bytes.put(OUT_HEADER, reply, 0, reply.limit());
        long _ = Unistd.write(device, out);
    }

    private static ByteBuffer reply(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    /** Puts a struct fuse_attr: inode, mode and number of links. */
    private static ByteBuffer attributes(ByteBuffer to, int at, int mode) {
        return to.putLong(at, 1).putInt(at + 60, mode).putInt(at + 64, 1);
    }

    /** Ends it: every close that waits for it returns. */
    @Override
    public void close() {
        device.close();
        tree.close();
    }
}
