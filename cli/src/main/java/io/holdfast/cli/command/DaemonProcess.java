package io.holdfast.cli.command;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.manager.survival.Keeper;

/**
 * What every daemon does first: nothing that it inherited may let others write to what it makes, or
 * keep a signal from it.
 *
 * @param inheritedUmask the umask that this process was started with; it has 022 now
 * @param isHangupInherited whether SIGHUP was ignored, as by nohup(1); it is received now
 */
public record DaemonProcess(int inheritedUmask, boolean isHangupInherited) {
    private static final int UMASK = 022;

    /**
     * To be called before the first file, socket or signal handler.
     *
     * @throws CommandException if a property that sets a limit is malformed
     */
    public static DaemonProcess begin() {
        DaemonProcess process = beginBelowKeeper();
        boolean _ = SignalDispositions.takeBack(Signal.INT);
        return process;
    }

    /** The same below a keeper, which hands on what a terminal sends to both. */
    public static DaemonProcess beginBelowKeeper() {
        ProcessLimits.requireValid();
        int umask = SysStat.umask(UMASK);
        boolean hangup =
                SignalDispositions.takeBack(Signal.HUP)
                        || System.getenv(Keeper.HANGUP_VARIABLE) != null;
        boolean _ = SignalDispositions.takeBack(Signal.TERM);
        return new DaemonProcess(umask, hangup);
    }

    /**
     * The umask of services that name none: that of the session for those of a user, as in systemd,
     * and 022 for those of root, whose umask may be that of an init.
     */
    public int serviceUmask() {
        return Unistd.geteuid() == 0 ? UMASK : inheritedUmask;
    }
}
