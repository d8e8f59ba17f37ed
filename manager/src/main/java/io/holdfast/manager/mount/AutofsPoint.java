package io.holdfast.manager.mount;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.Links;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysAutofs;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.section.AutomountUnit;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The kernel's automount point of a unit. Both descriptors outlive the manager, and with them the
 * requests that nobody has answered.
 *
 * @param pipe the requests of the kernel
 * @param root the folder of the point itself, whatever is mounted over it
 */
record AutofsPoint(Fd pipe, Fd root) {
    private static final int MOST_MOUNTS = 32; // that may lie over it
    private static final int MOST_REQUESTS = 16; // of those that were made before it was detached

    /** Returns the source that the points of a manager show in the table of mounts. */
    static String source(Path runtimeFolder) {
        return "holdfast:" + runtimeFolder;
    }

    /**
     * Detaches the points that killed managers have left on a path, if nothing else is mounted
     * there. Blocking.
     *
     * @param source of the points of this manager
     */
    static void removeLeftovers(String where, String source) throws FileException {
        List<String> found = MountTable.automounts(where);
        if (found.isEmpty()) {
            return;
        }
        // the table has paths without symbolic links
        try (Directory parent = Directory.open(Directory.parentOf(where), Links.REFUSED)) {
            String folder = parent.fd().with(number -> "/proc/self/fd/" + number);
            for (String each : found.reversed()) {
                if (!each.equals(source)
                        || SysMount.detach(folder + "/" + Directory.nameOf(where)) != 0) {
                    return;
                }
            }
        }
    }

    /**
     * Makes a point, and the folder for it. Blocking.
     *
     * @param source as {@link #source} gives it
     * @throws FileException if the folder cannot be made, or leads through a symbolic link of
     *     another user
     * @throws ErrnoException EINVAL for an option
     */
    static AutofsPoint make(AutomountUnit.Section unit, String source) throws FileException {
        Map<String, String> options = new LinkedHashMap<>();
        for (String option : unit.extraOptions().options()) {
            int at = option.indexOf('=');
            options.put(
                    at < 0 ? option : option.substring(0, at),
                    at < 0 ? "" : option.substring(at + 1));
        }
        Fd[] ends = Unistd.pipe2(Fcntl.O_CLOEXEC | Fcntl.O_NONBLOCK);
        Fd pipe = ends[0];
        Fd root = null;
        try (Fd writer = ends[1];
                Directory folder = Directory.make(unit.where(), unit.directoryMode());
                Fd mount = SysAutofs.fileSystem(writer, source, options)) {
            root = Fcntl.open(mount, ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0);
            long seconds = (unit.idleTimeout().micros() + 999_999) / 1_000_000;
            boolean expires = !unit.idleTimeout().isInfinite();
            int _ =
                    ErrnoException.check(
                            SysAutofs.timeout(root, expires ? seconds : 0),
                            "ioctl(AUTOFS_DEV_IOCTL_TIMEOUT)",
                            unit.where());
            int _ =
                    ErrnoException.check(
                            SysMount.attach(mount, folder.fd()), "move_mount", unit.where());
            return new AutofsPoint(pipe, root);
        } catch (FileException | RuntimeException e) {
            pipe.close();
            if (root != null) {
                root.close();
            }
            throw e;
        }
    }

    List<Fd> descriptors() {
        return List.of(pipe, root);
    }

    /**
     * Detaches the point with what is mounted over it, and fails its requests. Processes that walk
     * into it all the time cannot prolong that. Blocking.
     */
    void remove() {
        for (int i = 0; i < MOST_MOUNTS && SysMount.detach(root) == 0; i++) {
            // each removes the uppermost mount, and the last one the point
        }
        for (int i = 0; i < MOST_REQUESTS; i++) {
            SysAutofs.Request request = SysAutofs.peek(pipe).orElse(null);
            if (request == null) {
                break;
            }
            int _ = SysAutofs.fail(root, request.token(), Errno.EHOSTDOWN);
            SysAutofs.remove(pipe);
        }
        int _ = SysAutofs.end(root); // a keeper may hold the pipe for longer than this process
        close();
    }

    void close() {
        pipe.close();
        root.close();
    }
}
