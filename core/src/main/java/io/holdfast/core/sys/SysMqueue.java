package io.holdfast.core.sys;

/** {@code mqueue.h}: POSIX message queues (mq_overview(7)). */
public final class SysMqueue {
    // struct mq_attr
    private static final int MAX_MESSAGES = 8;
    private static final int MESSAGE_SIZE = 16;
    private static final int ATTR_SIZE = 64;
    private static final int ATTR = 512; // behind the name, which has at most 255 bytes

    private static final Libc.Function MQ_OPEN = Libc.bind("mq_open");
    private static final Libc.Function MQ_UNLINK = Libc.bind("mq_unlink");

    private SysMqueue() {}

    /**
     * {@code mq_open(3)}: opens a queue, or makes it: a number to adopt, or -errno.
     *
     * @param name begins with a slash, and has no other
     * @param maxMessages of a new queue; 0 for the default of the system
     * @param messageSize the same; both are set, or none
     */
    public static int open(String name, int flags, int mode, long maxMessages, long messageSize) {
        Scratch scratch = Scratch.take();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            boolean withAttr = maxMessages > 0 && messageSize > 0;
            for (int i = 0; i < ATTR_SIZE; i += Long.BYTES) {
                scratch.bytes.putLong(ATTR + i, 0);
            }
            scratch.bytes.putLong(ATTR + MAX_MESSAGES, maxMessages);
            scratch.bytes.putLong(ATTR + MESSAGE_SIZE, messageSize);
            return Libc.intCall(
                    MQ_OPEN,
                    scratch.errno,
                    scratch.address,
                    flags | Fcntl.O_CLOEXEC,
                    mode,
                    withAttr ? scratch.address + ATTR : 0,
                    0,
                    0);
        } finally {
            scratch.release();
        }
    }

    /** {@code mq_unlink(3)}: 0, or -errno. */
    public static int unlink(String name) {
        Scratch scratch = Scratch.take();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            return Libc.intCall(MQ_UNLINK, scratch.errno, scratch.address, 0, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }
}
