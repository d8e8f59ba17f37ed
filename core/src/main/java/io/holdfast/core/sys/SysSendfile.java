package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;

/** {@code sys/sendfile.h}. */
public final class SysSendfile {
    private static final Libc.Function SENDFILE = Libc.bind("sendfile");

    private SysSendfile() {}

    /**
     * {@code sendfile(2)} from the position of a file, which goes on by exactly what the other side
     * has taken, even if this process is killed meanwhile. Waits as a write would. A pipe or a
     * socket may get the pages of the file themselves.
     *
     * @return bytes sent; 0 at the end of the file; or -errno: EINVAL if {@code to} takes nothing
     *     this way, such as a file that is open for appending
     */
    public static int send(Fd to, Fd file, int most) {
        Scratch scratch = Scratch.take();
        int target = to.acquire();
        try {
            int source = file.acquire();
            try {
                long n;
                do {
                    n = Libc.wordCall(SENDFILE, scratch.errno, target, source, 0, most, 0, 0);
                } while (n == -Errno.EINTR);
                return (int) n;
            } finally {
                file.release();
            }
        } finally {
            to.release();
            scratch.give();
        }
    }
}
