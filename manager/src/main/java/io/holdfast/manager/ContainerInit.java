package io.holdfast.manager;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysReboot;
import io.holdfast.manager.survival.ManagerEnd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The init of a container: PID 1 of a PID namespace other than the machine's. It can end its
 * container in a way that shows the container runtime outside whether to restart it.
 */
public final class ContainerInit {
    private static final Path PID_NAMESPACE = Path.of("/proc/self/ns/pid");

    /**
     * The PID namespace of the machine itself, the same on every machine: {@code PROC_PID_INIT_INO}
     * of linux/proc_ns.h.
     */
    private static final String OF_THE_MACHINE = "pid:[4026531836]";

    private ContainerInit() {}

    /**
     * Returns whether this process, or the keeper that started it, is the init of a container.
     *
     * @param hasKeeper whether a keeper started this process
     */
    public static boolean isHere(boolean hasKeeper) {
        int init = hasKeeper ? Unistd.getppid() : Unistd.getpid();
        if (init != 1) { // PID 1 is the only PID that is never reused
            return false;
        }
        try {
            String namespace = Files.readSymbolicLink(PID_NAMESPACE).toString();
            return !namespace.equals(OF_THE_MACHINE);
        } catch (IOException e) {
            return false; // unknown without /proc; never reboot on a guess
        }
    }

    /**
     * Ends the container with reboot(2), which kills all its processes at once. Returns only for
     * {@code EXIT}: then the init has to exit.
     *
     * @throws ErrnoException EPERM without CAP_SYS_BOOT, as in most containers
     * @throws IllegalStateException if this process does not run below the init of a container
     */
    public static void end(ManagerEnd.What what, boolean hasKeeper) {
        if (!isHere(hasKeeper)) {
            throw new IllegalStateException("this process is not the init of a container");
        }
        int r =
                switch (what) {
                    case EXIT -> 0;
                    case HALT -> SysReboot.halt();
                    case POWER_OFF -> SysReboot.powerOff();
                    case REBOOT -> SysReboot.restart();
                };
        ErrnoException.check(r, "reboot", what);
    }
}
