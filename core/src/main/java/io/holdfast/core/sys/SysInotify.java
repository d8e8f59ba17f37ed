package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;

/**
 * {@code sys/inotify.h}: reports that something has changed at paths, or in directories that are
 * held open. The descriptor becomes readable after a change. A name that has changed is not
 * reported, so the caller checks the files again. Safe for use by any thread.
 */
public final class SysInotify implements AutoCloseable {
    public static final int IN_MODIFY = 0x2;
    public static final int IN_ATTRIB = 0x4;
    public static final int IN_CLOSE_WRITE = 0x8;
    public static final int IN_MOVED_FROM = 0x40;
    public static final int IN_MOVED_TO = 0x80;
    public static final int IN_CREATE = 0x100;
    public static final int IN_DELETE = 0x200;
    public static final int IN_DELETE_SELF = 0x400;
    public static final int IN_MOVE_SELF = 0x800;

    /** The watch does not follow a symbolic link. */
    public static final int IN_DONT_FOLLOW = 0x2000000;

    /** The events are added to those of an earlier watch of the same file. */
    public static final int IN_MASK_ADD = 0x20000000;

    private static final int IN_ONLYDIR = 0x1000000;

    /** {@code struct inotify_event}: wd, mask, cookie, length of the name. */
    private static final int HEADER = 16;

    /** The reads of one call: 64 KiB of events. */
    private static final int MOST_READS = 16;

    /** A name has appeared, or the content of a file has changed. */
    private static final int APPEARANCES = IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE;

    private static final Libc.Function INIT = Libc.bind("inotify_init1");
    private static final Libc.Function ADD_WATCH = Libc.bind("inotify_add_watch");
    private static final Libc.Function RM_WATCH = Libc.bind("inotify_rm_watch");

    private final Fd fd;

    /**
     * Makes an inotify instance.
     *
     * @throws ErrnoException EMFILE: no descriptor is left, or the user has as many instances as
     *     fs.inotify.max_user_instances allows
     */
    public SysInotify() {
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        fd = Fd.adopt(Libc.intCall(INIT, flags, 0, 0, 0, 0, 0), "inotify_init1", "");
    }

    /** Returns the descriptor, lent: to be watched for {@link Readiness#IN}. */
    public Fd fd() {
        return fd;
    }

    /**
     * Watches for names that appear in a directory, and for changes of the files in it.
     *
     * @param directory the directory, which may be open with O_PATH
     * @return the watch descriptor, the same for the same directory, until {@link #forget} removes
     *     the watch
     * @throws ErrnoException ENOSPC (fs.inotify.max_user_watches), EACCES
     */
    public int watchAppearances(Fd directory) {
        String itself = directory.with(number -> "/proc/self/fd/" + number);
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            int ignored = CString.put(scratch.bytes, 0, itself);
            int r =
                    Libc.intCall(
                            ADD_WATCH,
                            scratch.errno,
                            number,
                            scratch.address,
                            APPEARANCES | IN_ONLYDIR,
                            0,
                            0,
                            0);
            return ErrnoException.check(r, "inotify_add_watch", directory);
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * Watches a path.
     *
     * @param events bits of this class
     * @return the watch descriptor, the same for the same file; or -errno, such as ENOENT, ENOSPC
     *     (fs.inotify.max_user_watches), EACCES
     */
    public int watch(String path, int events) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            int ignored = CString.put(scratch.bytes, 0, path);
            return Libc.intCall(ADD_WATCH, scratch.errno, number, scratch.address, events, 0, 0, 0);
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * Reads pending events. If other programs cause more at the same time, some are left, and the
     * descriptor stays readable: so this takes a bounded time.
     *
     * @return the watch descriptors that they belong to; -1 if the kernel dropped events
     */
    public Set<Integer> read() {
        Set<Integer> watches = new HashSet<>();
        byte[] bytes = new byte[4096];
        long n = Unistd.read(fd, bytes, 0, bytes.length);
        for (int reads = 1; n > 0; reads++) {
            ByteBuffer events = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
            for (int at = 0; at + HEADER <= n; at += HEADER + events.getInt(at + 12)) {
                watches.add(events.getInt(at));
            }
            n = reads < MOST_READS ? Unistd.read(fd, bytes, 0, bytes.length) : 0;
        }
        return watches;
    }

    /**
     * Removes a watch, which makes the descriptor readable once more. Does nothing if the directory
     * was removed, and the watch with it.
     */
    public void forget(int watch) {
        int number = fd.acquire();
        try {
            int ignored = Libc.intCall(RM_WATCH, number, watch, 0, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    /** Reads all pending events, so that the descriptor is readable again after the next change. */
    public void drain() {
        byte[] events = new byte[4096];
        while (Unistd.read(fd, events, 0, events.length) > 0) {
            // the events are dropped: the caller checks the directories
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
