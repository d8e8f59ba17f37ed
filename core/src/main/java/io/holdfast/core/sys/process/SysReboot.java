package io.holdfast.core.sys.process;

import io.holdfast.core.sys.Libc;

/**
 * {@code sys/reboot.h}. In the machine's own PID namespace these restart or stop the machine; in
 * any other one they kill its PID 1, whose parent sees by the signal which of them it was. They
 * return -errno, if they return at all: EPERM without CAP_SYS_BOOT.
 */
public final class SysReboot {
    private static final int RB_AUTOBOOT = 0x01234567; // linux/reboot.h
    private static final int RB_HALT_SYSTEM = 0xcdef0123;
    private static final int RB_POWER_OFF = 0x4321fedc;

    private static final Libc.Function REBOOT = Libc.bind("reboot");

    private SysReboot() {}

    /** PID 1 of another namespace dies of SIGHUP. */
    public static int restart() {
        return reboot(RB_AUTOBOOT);
    }

    /** PID 1 of another namespace dies of SIGINT. */
    public static int halt() {
        return reboot(RB_HALT_SYSTEM);
    }

    /** PID 1 of another namespace dies of SIGINT. */
    public static int powerOff() {
        return reboot(RB_POWER_OFF);
    }

    private static int reboot(int command) {
        return Libc.intCall(REBOOT, command, 0, 0, 0, 0, 0);
    }
}
