package io.holdfast.core.wait;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.Unistd;

/** {@code sys/timerfd.h}: a descriptor that becomes readable at a point in time of one clock. */
public final class SysTimerfd implements AutoCloseable {
    private static final Libc.Function CREATE = Libc.bind("timerfd_create");
    private static final Libc.Function SETTIME = Libc.bind("timerfd_settime");

    private static final int ABSOLUTE = 1;
    private static final int CANCEL_ON_SET = 2;
    private static final long MICROS = 1_000_000;
    private static final long NANOS_A_MICRO = 1000;

    /** The clock of a timer. */
    public enum Clock {
        REALTIME(0),
        /** The wall clock; wakes the machine from suspend. Needs CAP_WAKE_ALARM. */
        REALTIME_ALARM(8),
        /** The time since boot with suspend; wakes the machine. Needs CAP_WAKE_ALARM. */
        BOOTTIME_ALARM(9);

        private final int number;

        Clock(int number) {
            this.number = number;
        }
    }

    private final Clock clock;
    private final Fd fd;

    /**
     * Makes a timer that is not set.
     *
     * @throws ErrnoException EMFILE; EPERM for an alarm without CAP_WAKE_ALARM; EINVAL if the
     *     kernel does not have the clock
     */
    public SysTimerfd(Clock clock) {
        this.clock = clock;
        int flags = Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK;
        fd =
                Fd.adopt(
                        Libc.intCall(CREATE, clock.number, flags, 0, 0, 0, 0),
                        "timerfd_create",
                        clock.name());
    }

    /** Returns the descriptor, lent. */
    public Fd fd() {
        return fd;
    }

    /**
     * Sets the time at which the descriptor becomes readable. A timer of {@link Clock#REALTIME}
     * also becomes readable when the clock is set.
     *
     * @param micros absolute, on the clock of the timer; a time that is over counts as now
     * @return whether the clock was set since the last call; the timer is set even then
     */
    public boolean set(long micros) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            long at = Math.max(micros, 1); // 0 would disarm it
            scratch.bytes.putLong(0, 0); // no repetition
            scratch.bytes.putLong(8, 0);
            scratch.bytes.putLong(16, at / MICROS);
            scratch.bytes.putLong(24, at % MICROS * NANOS_A_MICRO);
            int flags = clock == Clock.REALTIME ? ABSOLUTE | CANCEL_ON_SET : ABSOLUTE;
            int r = Libc.intCall(SETTIME, scratch.errno, number, flags, scratch.address, 0, 0, 0);
            if (r == -Errno.ECANCELED) {
                return true;
            }
            int _ = ErrnoException.check(r, "timerfd_settime", fd);
            return false;
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /** Makes the descriptor unreadable again; returns whether the clock was set. */
    public boolean drain() {
        return Unistd.read(fd, new byte[Long.BYTES], 0, Long.BYTES) == -Errno.ECANCELED;
    }

    @Override
    public void close() {
        fd.close();
    }
}
