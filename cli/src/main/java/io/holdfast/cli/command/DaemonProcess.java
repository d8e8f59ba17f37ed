package io.holdfast.cli.command;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.manager.survival.Keeper;

/**
 * The process of a daemon, prepared as every daemon does first: no inherited umask lets other users
 * write to the files that it creates, and no inherited disposition ignores a signal that it needs.
 *
 * @param inheritedUmask the umask with which this process was started; its umask is now 022
 * @param isHangupInherited whether SIGHUP was ignored, as nohup(1) does; it is no longer ignored
 */
public record DaemonProcess(int inheritedUmask, boolean isHangupInherited) {
    private static final int UMASK = 022;

    /**
     * Sets the umask, and stops ignoring SIGINT, SIGHUP and SIGTERM if they were ignored. Call it
     * before the first file, socket or signal handler is created.
     *
     * @throws CommandException if a property that sets a limit is malformed
     */
    public static DaemonProcess begin() {
        DaemonProcess process = beginBelowKeeper();
        boolean _ = SignalDispositions.takeBack(Signal.INT);
        return process;
    }

    /**
     * Does the same below a keeper, but leaves SIGINT ignored: the keeper forwards it as SIGTERM
     * when the terminal sends it to both.
     */
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
     * Returns the umask of services that set none: for a user's services the umask of the session,
     * as in systemd; for root's services 022, because root may have inherited the umask of an init.
     */
    public int serviceUmask() {
        return Unistd.geteuid() == 0 ? UMASK : inheritedUmask;
    }
}
