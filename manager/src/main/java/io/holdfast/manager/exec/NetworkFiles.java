package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.process.ThreadAttributes;
import io.holdfast.manager.unit.file.MountTable;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;

/**
 * A {@code /sys} that shows the devices of another network: the kernel shows those of the thread
 * that mounts it. What is mounted below the machine's own stays visible.
 */
final class NetworkFiles {
    private static final String PATH = "/sys";

    private NetworkFiles() {}

    /**
     * Adds the mount.
     *
     * @param network lent until the mounts are made
     */
    static void addTo(MountPlan plan, Namespace network, boolean readOnly) throws SetupException {
        long attributes =
                SysMount.NO_SUID
                        | SysMount.NO_DEVICES
                        | SysMount.NO_EXEC
                        | (readOnly ? SysMount.READ_ONLY : 0);
        plan.renew(PATH, () -> mounted(network, attributes), false);
        String above = PATH;
        for (String point : new TreeSet<>(MountTable.points())) {
            boolean isBelowAnother = !above.equals(PATH) && point.startsWith(above + "/");
            if (point.startsWith(PATH + "/") && !isBelowAnother) {
                plan.add(MountPlan.Kind.KEPT, point); // with all that is mounted below it
                above = point;
            }
        }
    }

    private static Fd mounted(Namespace network, long attributes) {
        FutureTask<Fd> task =
                new FutureTask<>(() -> {
                    ErrnoException.check(ThreadAttributes.enter(network.fd()), "setns", network);
                    return SysMount.fileSystem("sysfs", Map.of(), attributes);
                });
        Thread.ofPlatform().daemon().name("network files").start(task);
        try {
            return Uninterruptible.result(task);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) {
                throw e;
            }
            return MountTree.at(PATH).open(); // a container may not mount it
        }
    }
}
