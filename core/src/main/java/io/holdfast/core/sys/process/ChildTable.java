package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;

/**
 * The descriptors of one start: those that the child gets, and those that only the start needs. The
 * thread that spawns the child has copies of them in its own table ({@link SpawnThread}), one after
 * the other from {@link #first} on; the child gives those that it keeps their numbers, and all else
 * is close-on-exec.
 *
 * <p>The numbers of the copies are known before the thread runs, so that file actions can name
 * them. The descriptors are pinned from the moment they are added until {@link #close}.
 */
public final class ChildTable implements AutoCloseable {
    private static final Libc.Function DUP3 = Libc.bind("dup3");

    private final SortedMap<Integer, Fd> byTarget;
    private final List<Fd> pinned = new ArrayList<>();
    private final int reserved;
    private final int first;
    private int[] sources = new int[8];
    private int count;
    private boolean received;

    /**
     * Creates the table of a child.
     *
     * @param byTarget the descriptors that the child gets by the number that it gets, lent until
     *     this is closed; a standard stream of this process that is closed is left out
     * @throws io.holdfast.core.ErrnoException EMFILE, at the first start
     */
    public ChildTable(SortedMap<Integer, Fd> byTarget) {
        this.byTarget = byTarget;
        int end = byTarget.isEmpty() ? 0 : byTarget.lastKey() + 1;
        reserved = SpawnThread.reserved();
        first = Math.max(end, reserved);
    }

    /**
     * Adds a descriptor, which is lent until this is closed.
     *
     * @return the number of its copy
     */
    public int add(Fd fd) {
        if (count == sources.length) {
            sources = Arrays.copyOf(sources, 2 * count);
        }
        sources[count] = fd.acquire();
        pinned.add(fd);
        received |= fd.isReceived();
        return first + count++;
    }

    /** Returns the descriptors that the child gets by the number that it gets. */
    SortedMap<Integer, Fd> byTarget() {
        return byTarget;
    }

    /** Returns whether it is a standard stream without which this process was started. */
    static boolean isClosedStandard(Fd fd) {
        return PosixSpawn.STANDARD.contains(fd) && Fcntl.getfl(fd) == -Errno.EBADF;
    }

    /**
     * Returns whether another process controls one of the files, so that its close may take long.
     */
    boolean hasReceived() {
        return received;
    }

    /** Returns the first number above all copies. */
    public int end() {
        return first + count;
    }

    /**
     * Copies the descriptors from the table of this process into that of the calling thread, where
     * only the reserved numbers are taken: 0, or -errno. Loads no class.
     *
     * @param self the number of a pidfd of this process in the table of the thread
     */
    int fetch(int self) {
        for (int number = reserved; number < first; number++) {
            int r = Fcntl.dupfd(self, number); // the child gets this number: keep it free of copies
            if (r < 0) {
                return r;
            }
        }
        for (int i = 0; i < count; i++) {
            int copy = SpawnThread.move(SysPidfd.getfd(self, sources[i]), first + i);
            if (copy < 0) {
                return copy;
            }
        }
        return 0;
    }

    /**
     * Puts duplicates to their numbers in the table of the calling thread, which is a copy of that
     * of this process: 0, or -errno. Closes what lies below them, but for what the JVM uses; what
     * lies above them is left to the child to close. Loads no class.
     */
    int arrange() {
        int[] moved = new int[count];
        for (int i = 0; i < count; i++) {
            moved[i] = Fcntl.dupfd(sources[i], first + count);
            if (moved[i] < 0) {
                return moved[i];
            }
        }
        for (int i = 0; i < count; i++) {
            int r = Libc.intCall(DUP3, moved[i], first + i, Fcntl.O_CLOEXEC, 0, 0, 0);
            if (r < 0) {
                return r;
            }
        }
        for (int number = 0; number < first; number++) {
            if (SpawnThread.isUsed(number)) {
                int ignored = Fcntl.setDescriptorFlags(number, Fcntl.FD_CLOEXEC);
            } else {
                Unistd.close(number);
            }
        }
        return 0;
    }

    /** Releases the descriptors. Called after the spawn has returned. */
    @Override
    public void close() {
        for (Fd fd : pinned) {
            fd.release();
        }
        pinned.clear();
    }
}
