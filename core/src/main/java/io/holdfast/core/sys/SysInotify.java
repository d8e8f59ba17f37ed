package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;

/**
 * {@code sys/inotify.h}: that something has changed in directories which are held open. What it was
 * is not reported: whoever waits looks again. Readable once there was a change. Safe for use by any
 * thread.
 */
public final class SysInotify implements AutoCloseable {
    private static final int IN_MODIFY = 0x2;
    private static final int IN_CLOSE_WRITE = 0x8;
    private static final int IN_MOVED_TO = 0x80;
    private static final int IN_CREATE = 0x100;
    private static final int IN_ONLYDIR = 0x1000000;

    /** A name has come, or the content of a file has changed. */
    private static final int APPEARANCES = IN_CREATE | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE;

    private static final Libc.Function INIT = Libc.bind("inotify_init1");
    private static final Libc.Function ADD_WATCH = Libc.bind("inotify_add_watch");
    private static final Libc.Function RM_WATCH = Libc.bind("inotify_rm_watch");

    private final Fd fd;

    /**
     * @throws ErrnoException EMFILE: no descriptor is left, or the user has as many as
     *     fs.inotify.max_user_instances allows
     */
    public SysInotify() {
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        fd = Fd.adopt(Libc.intCall(INIT, flags, 0, 0, 0, 0, 0), "inotify_init1", "");
    }

    /** The descriptor, lent: to be watched for {@link Readiness#IN}. */
    public Fd fd() {
        return fd;
    }

    /**
     * Waits for names that come to a directory, and for changes of the files in it.
     *
     * @param directory may be open with O_PATH
     * @return the watch, the same for the same directory, until it is {@linkplain #forget
     *     forgotten}
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
            scratch.give();
        }
    }

    /**
     * Ends a watch, which makes this readable once more; nothing happens if its directory is gone,
     * and the watch with it.
     */
    public void forget(int watch) {
        int number = fd.acquire();
        try {
            int ignored = Libc.intCall(RM_WATCH, number, watch, 0, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    /** Takes note of the changes so far: it is readable again when there are others. */
    public void drain() {
        byte[] events = new byte[4096];
        while (Unistd.read(fd, events, 0, events.length) > 0) {
            // what has changed is found by looking
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
