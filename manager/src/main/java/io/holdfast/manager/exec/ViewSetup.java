package io.holdfast.manager.exec;

import static io.holdfast.core.process.privilege.SetupProgram.Call.CHDIR;
import static io.holdfast.core.process.privilege.SetupProgram.Call.CHROOT;
import static io.holdfast.core.process.privilege.SetupProgram.Call.CLOSE;
import static io.holdfast.core.process.privilege.SetupProgram.Call.MOUNT;
import static io.holdfast.core.process.privilege.SetupProgram.Call.MOVE_MOUNT;
import static io.holdfast.core.process.privilege.SetupProgram.Call.UNSHARE;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.privilege.SetupProgram;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.SysMount;
import io.holdfast.manager.unit.settings.NamespaceSettings.OwnCgroups;
import io.holdfast.manager.unit.settings.NamespaceSettings.Propagation;
import java.util.List;
import java.util.Optional;

/**
 * What a process does itself to its view of the file system, since only it can: it mounts the
 * {@code /proc} of its PID namespace, of which it is the first process; it makes its cgroup
 * namespace, whose root is the cgroup that it is in; and it changes its root, to which the file
 * that it executes first need not belong.
 *
 * @param root the folder that becomes its root
 * @param processes the options of the {@code /proc} that it mounts, if it mounts one
 * @param late mounts on and below that
 * @param propagation of the mounts of a root of its own
 */
record ViewSetup(
        Optional<String> root,
        Optional<String> processes,
        List<MountPlan.Late> late,
        OwnCgroups cgroups,
        Optional<Propagation> propagation) {
    // linux/mount.h
    private static final long READ_ONLY = 1;
    private static final long PLAIN = 2 | 4 | 8; // MS_NOSUID, MS_NODEV, MS_NOEXEC
    private static final long REMOUNT = 32;
    private static final long BIND = 4096;
    private static final long MOVE = 8192;
    private static final long RECURSIVE = 16384;

    private static final long NEW_CGROUPS = 0x0200_0000; // CLONE_NEWCGROUP of linux/sched.h
    private static final long WORKING_DIRECTORY = -100; // AT_FDCWD of linux/fcntl.h

    /** Returns whether only the process itself can do that. */
    boolean isNeeded() {
        return root.isPresent() || processes.isPresent() || cgroups != OwnCgroups.NO;
    }

    /**
     * Adds the calls that need the privileges of the manager.
     *
     * @param number of the descriptor of the first mount, which is followed by the others
     */
    void addTo(SetupProgram setup, int number) {
        processes.ifPresent(options -> mount(setup, "proc", "/proc", options));
        for (int i = 0; i < late.size(); i++) {
            long empty = text(setup, "");
            long path = text(setup, place(late.get(i).path()));
            long flags = SysMount.MOVE_MOUNT_F_EMPTY_PATH;
            call(setup, MOVE_MOUNT, number + i, empty, WORKING_DIRECTORY, path, flags);
            call(setup, CLOSE, number + i);
        }
        if (cgroups != OwnCgroups.NO) {
            ownCgroups(setup);
        }
        root.ifPresent(path -> change(setup, path));
        propagation.ifPresent(how -> {
            long all = how == Propagation.SHARED ? SysMount.MS_SHARED : SysMount.MS_PRIVATE;
            if (how != Propagation.SLAVE) {
                call(setup, MOUNT, text(setup, "none"), text(setup, "/"), 0, RECURSIVE | all);
            }
        });
    }

    private void mount(SetupProgram setup, String type, String path, String options) {
        long kind = text(setup, type);
        call(setup, MOUNT, kind, text(setup, place(path)), kind, PLAIN, text(setup, options));
    }

    /** Mounts the cgroups below its own. */
    private void ownCgroups(SetupProgram setup) {
        call(setup, UNSHARE, NEW_CGROUPS);
        String top = Cgroup.mountPoint();
        mount(setup, "cgroup2", top, "");
        if (cgroups == OwnCgroups.STRICT) {
            long path = text(setup, place(top));
            call(setup, MOUNT, path, path, 0, BIND | REMOUNT | READ_ONLY | PLAIN);
        }
    }

    /** Moves a mounted folder over the root, so that no path leads out of it. */
    private static void change(SetupProgram setup, String path) {
        long folder = text(setup, path);
        long top = text(setup, "/");
        long here = text(setup, ".");
        call(setup, CHDIR, folder);
        call(setup, MOUNT, folder, top, 0, MOVE);
        call(setup, CHROOT, here);
    }

    private String place(String path) {
        return root.orElse("") + path;
    }

    private static void call(SetupProgram setup, SetupProgram.Call call, long... arguments) {
        setup.call(SetupException.Step.NAMESPACE.status(), call, arguments);
    }

    private static long text(SetupProgram setup, String text) {
        return setup.put(CString.bytes(text));
    }
}
