package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.manager.unit.settings.CgroupSettings;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * The cgroup of a run as its processes see it. With {@code Delegate=} its user owns it and may make
 * cgroups below it. The kernel lets no process into a cgroup that enables controllers for those
 * below, so the main process starts in the one of {@code DelegateSubgroup=}, and all other commands
 * in {@code .control}. Used by workers.
 */
final class UnitCgroup {
    private static final String CONTROL = ".control";
    private static final String COREDUMPS = "user.coredump_receive";
    private static final long UNCHANGED = -1;

    /** The files that a manager of the cgroup writes to; older kernels lack the last ones. */
    private static final List<String> FILES =
            List.of(
                    "cgroup.procs",
                    "cgroup.subtree_control",
                    "cgroup.threads",
                    "memory.oom.group",
                    "memory.reclaim");

    private final Optional<Cgroup> cgroup;
    private final CgroupSettings.Delegation delegation;
    private final boolean receivesCoredumps;
    private OptionalLong uid = OptionalLong.empty();
    private OptionalLong gid = OptionalLong.empty();
    private @Nullable Cgroup main;
    private @Nullable Cgroup control;

    /**
     * @param cgroup lent
     */
    UnitCgroup(Optional<Cgroup> cgroup, CgroupSettings settings) {
        this.cgroup = cgroup;
        this.delegation = settings.delegation();
        this.receivesCoredumps = settings.receivesCoredumps();
    }

    /** Gives the cgroup to the user of the run, if it is delegated. */
    synchronized void delegateTo(OptionalLong user, OptionalLong group) throws SetupException {
        uid = user;
        gid = group;
        if (cgroup.isPresent() && delegation.isOn()) {
            give(cgroup.get());
            if (receivesCoredumps) {
                receiveCoredumps(cgroup.get());
            }
        }
    }

    /** Tells systemd-coredump(8) to pass core dumps on; kernels before 5.7 cannot keep that. */
    private static void receiveCoredumps(Cgroup cgroup) {
        try (Fd opened = Fcntl.open(cgroup.fd(), ".", Fcntl.O_RDONLY, 0)) { // ours is only a path
            int _ = SysXattr.set(opened, COREDUMPS, new byte[] {'1'});
        }
    }

    private void give(Cgroup to) throws SetupException {
        if (uid.isEmpty()) {
            return; // it is the manager's own
        }
        int r = SysStat.chown(to.fd(), uid.getAsLong(), gid.orElse(UNCHANGED));
        for (String name : FILES) {
            if (r < 0) {
                break;
            }
            try (Fd file = Fcntl.open(to.fd(), name, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0)) {
                r = SysStat.chown(file, uid.getAsLong(), gid.orElse(UNCHANGED));
            } catch (ErrnoException e) {
                r = e.errno() == Errno.ENOENT ? 0 : -e.errno();
            }
        }
        if (r < 0) {
            throw new SetupException(
                    SetupException.Step.CGROUP, new ErrnoException("chown", to.toString(), -r));
        }
    }

    /**
     * Returns the cgroup in which a command starts, lent.
     *
     * @param isMain whether it is the main process
     */
    synchronized Optional<Cgroup> of(boolean isMain) throws SetupException {
        if (cgroup.isEmpty() || !delegation.isOn()) {
            return cgroup;
        }
        if (!isMain) {
            control = control == null ? below(cgroup.get(), CONTROL) : control;
            return Optional.of(control);
        }
        if (delegation.subgroup().isEmpty()) {
            return cgroup;
        }
        main = main == null ? below(cgroup.get(), delegation.subgroup().get()) : main;
        return Optional.of(main);
    }

    private Cgroup below(Cgroup parent, String name) throws SetupException {
        try {
            Cgroup made = parent.create(name);
            give(made);
            return made;
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.CGROUP, e);
        }
    }

    synchronized void close() {
        if (main != null) {
            main.close();
        }
        if (control != null) {
            control.close();
        }
        main = null;
        control = null;
    }
}
