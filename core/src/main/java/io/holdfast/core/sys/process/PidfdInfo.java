package io.holdfast.core.sys.process;

import java.nio.ByteBuffer;

/**
 * {@code struct pidfd_info} of {@code linux/pidfd.h}, as the kernel filled it, or the errno
 * instead. A field means something only where its bit of {@code mask} is set.
 *
 * @param errno 0, or why there is no answer
 * @param mask the {@code PIDFD_INFO_*} bits that are answered
 * @param cgroupId inode number of the cgroup2 directory
 * @param exitCode the wait status, as of {@code wait(2)}
 */
public record PidfdInfo(
        int errno,
        long mask,
        long cgroupId,
        int pid,
        int tgid,
        int ppid,
        int ruid,
        int rgid,
        int euid,
        int egid,
        int suid,
        int sgid,
        int fsuid,
        int fsgid,
        int exitCode,
        int coredumpMask,
        int coredumpSignal,
        int coredumpCode) {
    /**
     * {@code pid}, {@code tgid} and {@code ppid} are answered (Linux 6.13); not once it is reaped.
     */
    public static final long INFO_PID = 1;

    /**
     * The ids from {@code ruid} to {@code fsgid} are answered (Linux 6.13); not once it is reaped.
     */
    public static final long INFO_CREDS = 2;

    /** {@code cgroupId} is answered (Linux 6.13). */
    public static final long INFO_CGROUPID = 4;

    /** {@code exitCode} is answered (Linux 6.15); before Linux 6.19 only once it is reaped. */
    public static final long INFO_EXIT = 8;

    /** {@code coredumpMask} is answered (Linux 6.16). */
    public static final long INFO_COREDUMP = 0x10;

    /** {@code coredumpSignal} is answered (Linux 6.19). */
    public static final long INFO_COREDUMP_SIGNAL = 0x40;

    /** {@code coredumpCode} is answered (Linux 7.1). */
    public static final long INFO_COREDUMP_CODE = 0x80;

    /** Bit of {@code coredumpMask}: it has dumped core. */
    public static final int COREDUMPED = 1;

    /** Bit of {@code coredumpMask}: the core is root's, for it may hold secrets of another user. */
    public static final int COREDUMP_ROOT = 8;

    /** Size of the newest struct (Linux 7.1); an older kernel zeroes what it does not know. */
    static final int SIZE = 88;

    static final int MASK = 0;
    private static final int CGROUPID = 8;
    private static final int PID = 16;
    private static final int TGID = 20;
    private static final int PPID = 24;
    private static final int RUID = 28;
    private static final int RGID = 32;
    private static final int EUID = 36;
    private static final int EGID = 40;
    private static final int SUID = 44;
    private static final int SGID = 48;
    private static final int FSUID = 52;
    private static final int FSGID = 56;
    private static final int EXIT_CODE = 60;
    private static final int COREDUMP_MASK = 64;
    private static final int COREDUMP_SIGNAL = 68;
    private static final int COREDUMP_CODE =
            72; // only with its bit: Linux 6.19 and 7.0 differ here

    /** No answer, for that reason. */
    public static PidfdInfo failed(int errno) {
        return new PidfdInfo(errno, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    static PidfdInfo read(ByteBuffer info) {
        return new PidfdInfo(
                0,
                info.getLong(MASK),
                info.getLong(CGROUPID),
                info.getInt(PID),
                info.getInt(TGID),
                info.getInt(PPID),
                info.getInt(RUID),
                info.getInt(RGID),
                info.getInt(EUID),
                info.getInt(EGID),
                info.getInt(SUID),
                info.getInt(SGID),
                info.getInt(FSUID),
                info.getInt(FSGID),
                info.getInt(EXIT_CODE),
                info.getInt(COREDUMP_MASK),
                info.getInt(COREDUMP_SIGNAL),
                info.getInt(COREDUMP_CODE));
    }

    /** Returns whether the kernel filled in all these fields. */
    public boolean has(long bits) {
        return (mask & bits) == bits;
    }
}
