package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The attributes and controllers of a cgroup (cgroups(7)): reads and writes its files, enables
 * controllers for its children, and says why a controller is missing.
 */
final class Controllers {
    static final String ENABLED = "cgroup.controllers";
    static final String FOR_CHILDREN = "cgroup.subtree_control";

    private Controllers() {}

    /** See {@link Cgroup#read}. */
    static String read(Cgroup cgroup, String attribute) {
        requireAttribute(attribute);
        try {
            return KernelFile.text(cgroup.fd(), attribute);
        } catch (ErrnoException e) {
            throw failure(cgroup, attribute, e.errno());
        }
    }

    /** See {@link Cgroup#write}. */
    static void write(Cgroup cgroup, String attribute, String value) {
        requireAttribute(attribute);
        if (attribute.equals("cgroup.procs") || attribute.equals("cgroup.threads")) {
            throw new IllegalArgumentException(
                    attribute + " takes a PID: use Cgroup.attach with a PidFd");
        }
        int r = KernelFile.write(cgroup.fd(), attribute, value);
        if (r < 0) {
            throw failure(cgroup, attribute + "=" + value.strip(), attribute, -r);
        }
    }

    private static void requireAttribute(String attribute) {
        if (!attribute.matches("[a-z][a-z0-9_-]*(\\.[A-Za-z0-9_-]+)+")) {
            throw new IllegalArgumentException(
                    "not an attribute of a cgroup, such as memory.max: \"" + attribute + "\"");
        }
    }

    private static ErrnoException failure(Cgroup cgroup, String attribute, int errno) {
        return failure(cgroup, attribute, attribute, errno);
    }

    private static ErrnoException failure(Cgroup cgroup, String call, String attribute, int errno) {
        String controller = attribute.substring(0, attribute.indexOf('.'));
        if (errno == Errno.ENOENT && !controller.equals("cgroup") && !cgroup.isRemoved()) {
            return list(cgroup, ENABLED).contains(controller)
                    ? new ErrnoException(
                            call,
                            cgroup.toString(),
                            Errno.EOPNOTSUPP,
                            "the kernel has no such attribute of the controller " + controller)
                    : missing(call, cgroup, controller);
        }
        return new ErrnoException(call, cgroup.toString(), errno);
    }

    /** See {@link Cgroup#enable}. */
    static void enable(Cgroup cgroup, String controller) {
        if (!controller.matches("[a-z][a-z0-9_]*")) {
            throw new IllegalArgumentException(
                    "not a controller, such as memory: \"" + controller + "\"");
        }
        if (list(cgroup, FOR_CHILDREN).contains(controller)) {
            return;
        }
        String call = "enable controller " + controller;
        if (!list(cgroup, ENABLED).contains(controller)) {
            throw missing(call, cgroup, controller);
        }
        int r =
                isRoot(cgroup) || read(cgroup, "cgroup.procs").isEmpty()
                        ? KernelFile.write(cgroup.fd(), FOR_CHILDREN, "+" + controller)
                        : -Errno.EBUSY;
        if (r < 0) {
            throw new ErrnoException(call, cgroup.toString(), -r, advice(-r));
        }
    }

    /**
     * Returns whether it is the root of the hierarchy, which alone may have processes beside
     * controllers for its children. In any other one the kernel would allow cpu and pids, and make
     * the cgroup a thread root, whose children take no processes ("domain invalid").
     */
    private static boolean isRoot(Cgroup cgroup) {
        try (Fd _ = Fcntl.open(cgroup.fd(), "cgroup.type", Fcntl.O_PATH, 0)) {
            return false;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return true;
            }
            throw e.of(cgroup);
        }
    }

    private static @Nullable String advice(int errno) {
        return switch (errno) {
            case Errno.EBUSY ->
                    "it has processes itself, and the kernel distributes such a controller only"
                            + " below a cgroup without processes: run them in a cgroup below it"
                            + " (DelegateSubgroup= of the unit)";
            case Errno.EACCES, Errno.EPERM ->
                    "it is not delegated to this user: set Delegate=yes in the unit";
            case Errno.EROFS -> "the cgroup file system is mounted read-only";
            default -> null;
        };
    }

    private static List<String> list(Cgroup cgroup, String file) {
        return List.of(cgroup.in(directory -> KernelFile.text(directory, file)).split(" ", -1));
    }

    private static ErrnoException missing(String call, Cgroup cgroup, String controller) {
        return new ErrnoException(
                call,
                cgroup.toString(),
                Errno.EOPNOTSUPP,
                "the controller " + controller + " is not enabled for it: " + remedy(controller));
    }

    /** Returns why the machine does not offer a controller, or who has to enable it. */
    private static String remedy(String controller) {
        if (isInVersion1(KernelFile.text(null, "/proc/self/cgroup"), controller)) {
            return "this machine uses it with cgroup v1: boot with"
                    + " systemd.unified_cgroup_hierarchy=1, or cgroup_no_v1=all";
        }
        try (Cgroup root = Cgroup.root()) {
            return list(root, ENABLED).contains(controller)
                    ? "enable it in each cgroup above, by Delegate=yes of the unit or Cgroup.enable"
                    : "the kernel or the container does not have it (see cgroup_disable= of the"
                            + " kernel's command line)";
        }
    }

    /**
     * Returns whether a hierarchy of cgroup v1 has the controller.
     *
     * @param memberships the content of {@code /proc/PID/cgroup}
     */
    static boolean isInVersion1(String memberships, String controller) {
        String name = controller.equals("io") ? "blkio" : controller;
        return memberships
                .lines()
                .map(line -> line.split(":", 3))
                .filter(line -> line.length == 3 && !line[0].equals("0"))
                .anyMatch(line -> List.of(line[1].split(",")).contains(name));
    }
}
