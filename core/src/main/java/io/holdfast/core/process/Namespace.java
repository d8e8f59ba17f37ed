package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.FileStatus;
import io.holdfast.core.Signal;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.ThreadAttributes;
import io.holdfast.core.sys.socket.NetDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import org.jspecify.annotations.Nullable;

/**
 * A namespace, held open by a descriptor (namespaces(7)). Two are equal if they refer to the same
 * namespace. Safe for use by any thread; the owner closes it.
 */
public final class Namespace implements AutoCloseable {
    /** The kinds of namespaces. */
    public enum Kind {
        /** Root of the cgroups, cgroup_namespaces(7). */
        CGROUP(1),
        /** System V and POSIX queues, ipc_namespaces(7). */
        IPC(2),
        /** Mounts, mount_namespaces(7). */
        MNT(3),
        /** Network devices and addresses, network_namespaces(7). */
        NET(4),
        /** Process numbers, pid_namespaces(7). */
        PID(5),
        /** The PID namespace of children. */
        PID_FOR_CHILDREN(6),
        /** Clocks since boot, time_namespaces(7). */
        TIME(7),
        /** The time namespace of children. */
        TIME_FOR_CHILDREN(8),
        /** Users and capabilities, user_namespaces(7). */
        USER(9),
        /** Host name, uts_namespaces(7). */
        UTS(10);

        private final int ioctl; // its number on a pidfd, linux/pidfd.h

        Kind(int ioctl) {
            this.ioctl = ioctl;
        }

        int ioctl() {
            return ioctl;
        }

        /** Its name under {@code /proc/PID/ns}. */
        String fileName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Kind kind;
    private final Fd fd;
    private final FileStatus stat;

    private Namespace(Kind kind, Fd fd) {
        this.kind = kind;
        this.fd = fd;
        this.stat = SysStat.stat(fd);
    }

    /**
     * {@return a new namespace without processes; it lasts as long as this is open or a process is
     * in it} In a network namespace the loopback device is up. Needs CAP_SYS_ADMIN.
     *
     * @param kind UTS, IPC or NET
     * @throws ErrnoException EPERM, ENOSPC (the sysctl user.max_net_namespaces and its siblings)
     * @throws IllegalArgumentException if the kind is another
     */
    public static Namespace make(Kind kind) {
        if (kind == Kind.MNT) {
            throw new IllegalArgumentException("mounts are made for each child");
        }
        int flag = Isolation.flag(kind);
        FutureTask<Namespace> task =
                new FutureTask<>(() -> {
                    ErrnoException.check(ThreadAttributes.unshare(flag), "unshare", kind);
                    if (kind == Kind.NET) {
                        NetDevice.up("lo");
                    }
                    String path = "/proc/thread-self/ns/" + kind.fileName();
                    return new Namespace(kind, Fcntl.open(path, Fcntl.O_RDONLY));
                });
        Thread.ofPlatform().daemon().name("holdfast-unshare").start(task);
        return Uninterruptible.result(task);
    }

    /**
     * Makes a user namespace (user_namespaces(7)). A child makes it, by unshare(1): no process with
     * several threads may.
     *
     * @param uidMap the content of its {@code uid_map}
     * @param gidMap the content of its {@code gid_map}
     * @return the namespace, owned by the caller
     * @throws ErrnoException EPERM if user namespaces or the maps are refused
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public static Namespace makeUser(String uidMap, String gidMap) throws InterruptedException {
        try (Child child =
                Spawn.of("unshare", "--user", "cat")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull())
                        .start()) {
            try {
                child.stdin().write('\n');
                child.stdin().flush();
                if (child.stdout().read() < 0) { // cat(1) answers in the new namespace
                    throw new ErrnoException(
                            "unshare", "user", Errno.EPERM, "user namespaces are not permitted");
                }
                map(child.pidFd(), "uid_map", uidMap);
                map(child.pidFd(), "gid_map", gidMap);
                return of(child.pidFd(), Kind.USER);
            } catch (IOException e) { // it has ended
                throw new ErrnoException(
                        "unshare", "user", Errno.EPERM, "user namespaces are not permitted");
            } finally {
                boolean ignored = child.signal(Signal.KILL);
                Exit _ = child.await();
            }
        }
    }

    private static void map(PidFd process, String name, String content) {
        byte[] text = content.getBytes(StandardCharsets.US_ASCII);
        try (Fd file = process.proc().open(name, Fcntl.O_WRONLY)) {
            ErrnoException.check(Unistd.write(file, text, 0, text.length), "write", name);
        }
    }

    /**
     * {@return the namespace that a file stands for, such as {@code /run/netns/NAME}} Symbolic
     * links are {@linkplain io.holdfast.core.file.Links#GUARDED guarded}, but those of {@code
     * /proc}.
     *
     * @param path the absolute path of the file
     * @param kind the kind that it must have
     * @throws ErrnoException ENOENT; EINVAL if it is not a namespace of this kind
     */
    public static Namespace open(String path, Kind kind) {
        Fd opened;
        if (path.startsWith("/proc/")) {
            opened = Fcntl.open(path, Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
        } else {
            try (OpenedFile file = OpenedFile.open(path, OpenHow.reading())) {
                opened = file.take();
            } catch (FileException e) {
                throw e.asErrno("open", path);
            }
        }
        try {
            if (SysIoctl.namespaceType(opened) != Isolation.flag(kind)) {
                throw new ErrnoException(
                        "open", path, Errno.EINVAL, "it is no namespace of the kind " + kind);
            }
            return new Namespace(kind, opened);
        } catch (RuntimeException e) {
            opened.close();
            throw e;
        }
    }

    /** See {@link PidFd#namespace}. */
    static Namespace of(PidFd pidFd, Kind kind) {
        if (Feature.NAMESPACE_IOCTLS.isPresent()) {
            int number = SysPidfd.getNamespace(pidFd.fd(), kind.ioctl());
            return new Namespace(kind, Fd.adopt(number, "PIDFD_GET_" + kind + "_NAMESPACE", pidFd));
        }
        return new Namespace(kind, ofProc(pidFd, kind));
    }

    /**
     * Opens it in {@code /proc}, which still shows some namespaces of a zombie and reports ENOENT
     * for the others.
     */
    private static Fd ofProc(PidFd pidFd, Kind kind) {
        try {
            Fd opened = pidFd.proc().open("ns/" + kind.fileName(), Fcntl.O_RDONLY);
            if (pidFd.isAlive()) {
                return opened;
            }
            opened.close();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT || pidFd.isAlive()) {
                throw e.errno() == Errno.ENOENT
                        ? new ErrnoException(e.call(), pidFd + " " + kind, Errno.EOPNOTSUPP)
                        : e;
            }
        }
        throw new ErrnoException("/proc/PID/ns/" + kind.fileName(), pidFd.toString(), Errno.ESRCH);
    }

    /**
     * {@return the kind under which it was opened} The {@link Kind#PID} and {@link
     * Kind#PID_FOR_CHILDREN} of a process may be the same namespace, and are equal then.
     */
    public Kind kind() {
        return kind;
    }

    /** {@return the inode number, as {@code lsns(8)} shows it} */
    public long inode() {
        return stat.inode();
    }

    /** {@return the descriptor, lent} */
    public Fd fd() {
        return fd;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Namespace namespace
                && stat.device() == namespace.stat.device()
                && stat.inode() == namespace.stat.inode();
    }

    @Override
    public int hashCode() {
        return Long.hashCode(stat.inode());
    }

    @Override
    public String toString() {
        return kind.fileName() + ":[" + stat.inode() + "]";
    }

    @Override
    public void close() {
        fd.close();
    }
}
