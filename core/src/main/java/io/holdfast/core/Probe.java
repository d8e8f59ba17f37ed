package io.holdfast.core;

import io.holdfast.core.sys.CgroupMount;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.ChildTable;
import io.holdfast.core.sys.process.PidfdInfo;
import io.holdfast.core.sys.process.PlatformThreads;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.SysWait;
import io.holdfast.core.sys.process.ThreadAttributes;
import io.holdfast.core.sys.socket.SysSocket;
import java.io.File;
import java.util.Collections;
import java.util.List;

/** The probes behind {@link Feature}. */
final class Probe {
    private static final int NET_NAMESPACE = 4;

    private Probe() {}

    /**
     * Returns whether this machine has a feature. One switch, because a method reference in each
     * constant costs every program that uses one feature several milliseconds at its start.
     */
    static boolean of(Feature feature) {
        return switch (feature) {
            case PIDFD_OPEN -> pidfdOpen();
            case WAIT_PIDFD -> waitPidfd();
            case PIDFD_GETFD -> getfd();
            case PEER_PIDFD -> peerPidfd();
            case PIDFS -> pidfs();
            case PIDFD_THREAD -> thread();
            case SIGNAL_SCOPE -> signalScope();
            case NAMESPACE_IOCTLS -> namespaces();
            case PIDFD_INFO -> info();
            case FILE_HANDLE -> fileHandle();
            case PASS_RIGHTS -> passRights();
            case EXIT_INFO -> exitInfo();
            case OWN_TABLE -> SpawnThread.hasOwnTable();
            case PIDFD_SPAWN -> spawn();
            case SPAWN_CLOSEFROM -> PosixSpawn.hasClosefrom();
            case SPAWN_FOREGROUND -> PosixSpawn.hasTcsetpgrp();
            case CLONE_INTO_CGROUP -> cloneIntoCgroup();
            case MOUNT_TREES -> SysMount.isThere();
            case CGROUP_KILL -> cgroupKill();
            case SCOPE_CGROUP -> CgroupMount.find() != null;
        };
    }

    private static Fd self() {
        return SysPidfd.adopt(SysPidfd.open(Unistd.getpid(), 0), "self");
    }

    /** Whether a call returned a descriptor, which is closed here. Throws on a shortage. */
    private static boolean returnsDescriptor(int number, String call) {
        if (number < 0) {
            requireNoShortage(number, call);
            return false;
        }
        Fd.adopt(number).close();
        return true;
    }

    /** Throws on a shortage: it says nothing about the feature, and the answer is cached. */
    private static void requireNoShortage(int result, String call) {
        switch (-result) {
            case Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM, Errno.EAGAIN ->
                    throw new ErrnoException(call, "(probing)", -result);
            default -> {}
        }
    }

    private static boolean pidfdOpen() {
        return returnsDescriptor(SysPidfd.open(Unistd.getpid(), 0), "pidfd_open");
    }

    private static boolean waitPidfd() {
        try (Fd self = self()) {
            return SysWait.waitid(self, SysWait.WEXITED | SysWait.WNOHANG) == -Errno.ECHILD;
        }
    }

    private static boolean getfd() {
        try (Fd self = self()) {
            return SysPidfd.getfd(self, Integer.MAX_VALUE) == -Errno.EBADF;
        }
    }

    private static boolean peerPidfd() {
        Fd[] pair = SysSocket.socketpair(SysSocket.SOCK_STREAM);
        try (Fd one = pair[0];
                Fd two = pair[1]) {
            int number = SysSocket.option(one, SysSocket.SO_PEERPIDFD);
            return returnsDescriptor(number, "getsockopt(SO_PEERPIDFD)") && two.isOpen();
        }
    }

    private static boolean passRights() {
        try (Fd socket = Fd.adopt(SysSocket.socket(SysSocket.SOCK_STREAM), "socket", "")) {
            return SysSocket.option(socket, SysSocket.SO_PASSRIGHTS) >= 0;
        }
    }

    private static boolean pidfs() {
        try (Fd self = self()) {
            return SysStat.fileSystem(self) == SysStat.PID_FS_MAGIC;
        }
    }

    private static boolean thread() {
        int pid = Unistd.getpid();
        return returnsDescriptor(SysPidfd.open(pid, SysPidfd.PIDFD_THREAD), "pidfd_open");
    }

    private static boolean signalScope() {
        try (Fd self = self()) {
            return SysPidfd.sendSignal(self, 0, SysPidfd.PIDFD_SIGNAL_THREAD_GROUP) == 0;
        }
    }

    private static boolean namespaces() {
        try (Fd self = self()) {
            return returnsDescriptor(
                    SysPidfd.getNamespace(self, NET_NAMESPACE), "PIDFD_GET_NET_NAMESPACE");
        }
    }

    private static boolean info() {
        try (Fd self = self()) {
            return SysPidfd.getInfo(self, 0).errno() == 0;
        }
    }

    private static boolean fileHandle() {
        try (Fd self = self()) {
            return SysStat.hasInodeHandle(self) == 0;
        }
    }

    /** Reaps a child first: before Linux 6.19 only a reaped process has an exit status. */
    private static boolean exitInfo() {
        if (!Feature.PIDFD_INFO.isPresent() || !Feature.SPAWN_CLOSEFROM.isPresent()) {
            return false;
        }
        return PlatformThreads.run(Probe::reapedChildHasStatus);
    }

    private static boolean reapedChildHasStatus() {
        SignalDispositions.keepChildren();
        try (ChildTable table = new ChildTable(Collections.emptySortedMap());
                PosixSpawn spawn = new PosixSpawn(table, new ThreadAttributes())) {
            int pidfd = spawn.spawn("/bin/true", List.of("true"), null);
            if (pidfd < 0) {
                requireNoShortage(pidfd, "posix_spawn");
                return false;
            }
            try (Fd child = Fd.adopt(pidfd)) {
                if (SysWait.waitid(child, SysWait.WEXITED) < 0) {
                    return false;
                }
                return SysPidfd.getInfo(child, PidfdInfo.INFO_EXIT).has(PidfdInfo.INFO_EXIT);
            }
        }
    }

    private static boolean spawn() {
        return PosixSpawn.hasPidfdSpawn()
                && Feature.OWN_TABLE.isPresent()
                && Feature.PIDFD_THREAD.isPresent();
    }

    /** A kernel that knows the flag refuses a descriptor that is not a cgroup with EBADF. */
    private static boolean cloneIntoCgroup() {
        return PosixSpawn.hasSetcgroup() && PlatformThreads.run(Probe::refusesFolder);
    }

    private static boolean refusesFolder() {
        try (ChildTable table = new ChildTable(Collections.emptySortedMap());
                PosixSpawn spawn = new PosixSpawn(table, new ThreadAttributes());
                Fd none = Fcntl.open("/", Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            spawn.cgroup(none);
            int r = spawn.spawn("/bin/true", List.of("true"), null);
            requireNoShortage(r, "posix_spawn");
            Unistd.close(r); // of a child, without the feature
            return r == -Errno.EBADF;
        }
    }

    /** The root has no cgroup.kill: looks in its children, then in a temporary cgroup. */
    private static boolean cgroupKill() {
        String mount = CgroupMount.find();
        if (mount == null) {
            return false;
        }
        try (Fd root = Fcntl.open(mount, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            for (String group : SysDirent.directories(root)) {
                int kill = Fcntl.openat(root, group + "/cgroup.kill", Fcntl.O_PATH, 0);
                if (returnsDescriptor(kill, "open")) {
                    return true;
                }
            }
        }
        File probe = new File(mount, "holdfast-probe-" + Unistd.getpid());
        try {
            return probe.mkdir() && new File(probe, "cgroup.kill").exists();
        } finally {
            boolean ignored = probe.delete();
        }
    }
}
