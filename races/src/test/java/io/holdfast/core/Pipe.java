package io.holdfast.core;

import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;

/**
 * The read end of a pipe, whose inode number no other open file has: it shows whether a descriptor
 * number still means the same file.
 */
final class Pipe {
    static final String SAME = "same";
    static final String REFUSED = "refused";
    private static final String OTHER = "another file";
    private static final String NONE = "no file";

    final Fd fd;
    private final int number;
    private final long inode;

    Pipe() {
        Fd[] ends = Unistd.pipe2(0);
        ends[1].close();
        fd = ends[0];
        number = fd.with(n -> n);
        inode = SysStat.inode(fd);
    }

    /** Uses a descriptor that must be this pipe's. */
    String use(Fd used) {
        int held;
        try {
            held = used.acquire();
        } catch (IllegalStateException e) {
            return REFUSED;
        }
        try {
            return at(held);
        } finally {
            used.release();
        }
    }

    /** Returns what is open now under the number that the pipe had. */
    String atItsNumber() {
        return at(number);
    }

    private String at(int where) {
        try {
            return SysStat.inode(Fd.adopt(where)) == inode ? SAME : OTHER;
        } catch (ErrnoException e) {
            return e.errno() == Errno.EBADF ? NONE : e.toString();
        }
    }
}
