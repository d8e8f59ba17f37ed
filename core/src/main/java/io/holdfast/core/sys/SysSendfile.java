package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;

/** {@code sys/sendfile.h}: copies between descriptors in the kernel. */
public final class SysSendfile {
    private static final Libc.Function SENDFILE = Libc.bind("sendfile");

    private SysSendfile() {}

    /**
     * {@code sendfile(2)} from the position of a file, which advances by exactly the bytes sent,
     * even if this process is killed meanwhile. Waits as a write would. A pipe or a socket may
     * receive references to the file's pages instead of copies.
     *
     * @return bytes sent; 0 at the end of the file; or -errno: EINVAL if {@code to} does not
     *     support it, such as a file that is open for appending
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
            scratch.release();
        }
    }
}
