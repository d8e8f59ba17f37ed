package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code sys/mount.h}: mount trees that are held by a descriptor before they are attached. All
 * calls need glibc 2.36, Linux 5.12 ({@link Feature#MOUNT_TREES}) and CAP_SYS_ADMIN.
 */
public final class SysMount {
    /** {@code MOUNT_ATTR_RDONLY}. */
    public static final long READ_ONLY = 1;

    /** {@code MOUNT_ATTR_NOSUID}. */
    public static final long NO_SUID = 2;

    /** {@code MOUNT_ATTR_NODEV}. */
    public static final long NO_DEVICES = 4;

    /** {@code MOUNT_ATTR_NOEXEC}. */
    public static final long NO_EXEC = 8;

    /** {@code MOUNT_ATTR_NOSYMFOLLOW} (Linux 5.14). */
    public static final long NO_LINKS = 0x20_0000;

    public static final long MOVE_MOUNT_F_EMPTY_PATH = 4;
    public static final long MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    public static final int AT_RECURSIVE = 0x8000;
    public static final long MS_PRIVATE = 1 << 18;
    public static final long MS_SLAVE = 1 << 19;
    public static final long MS_SHARED = 1 << 20;
    public static final int ATTR_SIZE = 32; // struct mount_attr

    private static final int MNT_DETACH = 2;
    private static final int UMOUNT_NOFOLLOW = 8;
    private static final int OPEN_TREE_CLONE = 1;
    private static final int FSOPEN_CLOEXEC = 1;
    private static final int FSMOUNT_CLOEXEC = 1;
    private static final int FSCONFIG_SET_FLAG = 0;
    private static final int FSCONFIG_SET_STRING = 1;
    private static final int FSCONFIG_CMD_CREATE = 6;

    private static final Libc.@Nullable Function OPEN_TREE = Libc.find("open_tree");
    public static final Libc.@Nullable Function MOVE_MOUNT = Libc.find("move_mount");
    public static final Libc.@Nullable Function MOUNT_SETATTR = Libc.find("mount_setattr");
    private static final Libc.@Nullable Function FSOPEN = Libc.find("fsopen");
    private static final Libc.@Nullable Function FSCONFIG = Libc.find("fsconfig");
    private static final Libc.@Nullable Function FSMOUNT = Libc.find("fsmount");
    private static final Libc.Function UMOUNT2 = Libc.bind("umount2");

    private SysMount() {}

    /** Whether libc and the kernel have all of these calls; probes with a call that must fail. */
    public static boolean isThere() {
        boolean inLibc =
                OPEN_TREE != null && MOVE_MOUNT != null && FSOPEN != null && FSCONFIG != null;
        return inLibc
                && FSMOUNT != null
                && MOUNT_SETATTR != null
                && Libc.intCall(MOUNT_SETATTR, -1, 0, 0, 0, 0, 0) != -Errno.ENOSYS;
    }

    public static Libc.Function present(Libc.@Nullable Function function, String name) {
        if (function == null) {
            throw new NotSupportedException(name, Feature.MOUNT_TREES);
        }
        return function;
    }

    /**
     * {@code open_tree(2)} with OPEN_TREE_CLONE: clones the mount at a held file, as a tree that is
     * not attached yet. The clone is a slave (MS_SLAVE): later mounts in it do not propagate to the
     * original.
     *
     * @param held the file, which may be open with O_PATH
     * @param path the path of the file, for messages
     * @param recursive whether to clone the mounts below it, too
     * @return the tree, owned by the caller
     * @throws ErrnoException EPERM; ENOSYS before Linux 5.12
     */
    public static Fd cloneTree(Fd held, String path, boolean recursive) {
        Libc.Function openTree = present(OPEN_TREE, "open_tree");
        Scratch scratch = Scratch.take();
        int number = held.acquire();
        int r;
        try {
            int ignored = CString.put(scratch.bytes, 0, "");
            int flags =
                    OPEN_TREE_CLONE
                            | Fcntl.O_CLOEXEC
                            | SysStat.AT_EMPTY_PATH
                            | (recursive ? AT_RECURSIVE : 0);
            r = Libc.intCall(openTree, scratch.errno, number, scratch.address, flags, 0, 0, 0);
        } finally {
            held.release();
            scratch.release();
        }
        Fd tree = Fd.adopt(r, "open_tree", path);
        try {
            ErrnoException.check(
                    setAttributes(tree, true, 0, MS_SLAVE), "mount_setattr(MS_SLAVE)", path);
            return tree;
        } catch (RuntimeException e) {
            tree.close();
            throw e;
        }
    }

    /**
     * {@code mount_setattr(2)} of a mount tree: 0, or -errno.
     *
     * @param recursive whether to change the mounts below, too
     * @param attributes the attributes to set: a sum of the constants of this class
     */
    public static int setAttributes(Fd tree, boolean recursive, long attributes) {
        return setAttributes(tree, recursive, attributes, 0);
    }

    private static int setAttributes(
            Fd tree, boolean recursive, long attributes, long propagation) {
        Libc.Function setattr = present(MOUNT_SETATTR, "mount_setattr");
        Scratch scratch = Scratch.take();
        int number = tree.acquire();
        try {
            scratch.bytes.putLong(0, attributes);
            scratch.bytes.putLong(8, 0); // to clear
            scratch.bytes.putLong(16, propagation);
            scratch.bytes.putLong(24, 0); // user namespace
            scratch.bytes.putLong(ATTR_SIZE, 0); // the empty path
            int flags = SysStat.AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
            return Libc.intCall(
                    setattr,
                    scratch.errno,
                    number,
                    scratch.address + ATTR_SIZE,
                    flags,
                    scratch.address,
                    ATTR_SIZE,
                    0);
        } finally {
            tree.release();
            scratch.release();
        }
    }

    /**
     * {@code move_mount(2)}: attaches a tree in our mount namespace.
     *
     * @param place the folder that it covers, which may be open with O_PATH
     * @return 0, or -errno
     */
    public static int attach(Fd tree, Fd place) {
        Libc.Function move = present(MOVE_MOUNT, "move_mount");
        Scratch scratch = Scratch.take();
        int from = tree.acquire();
        int to = place.acquire();
        try {
            int ignored = CString.put(scratch.bytes, 0, "");
            return Libc.intCall(
                    move,
                    scratch.errno,
                    from,
                    scratch.address,
                    to,
                    scratch.address,
                    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
                    0);
        } finally {
            place.release();
            tree.release();
            scratch.release();
        }
    }

    /**
     * {@code umount2(2)} with MNT_DETACH: removes the uppermost mount at a path of our mount
     * namespace, with the mounts below it. Processes that have files of it open keep them.
     *
     * @param path the path of the mount; its last name is no symbolic link
     * @return 0, or -errno (EINVAL: nothing is mounted there)
     */
    public static int detach(String path) {
        return detach(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    }

    /**
     * {@code umount2(2)} with MNT_DETACH: removes a mount, with those over and below it, wherever
     * its path leads to by now.
     *
     * @param root the uppermost folder of the mount
     * @return 0, or -errno (EINVAL: it is not mounted)
     */
    public static int detach(Fd root) {
        int number = root.acquire();
        try {
            return detach("/proc/self/fd/" + number, MNT_DETACH);
        } finally {
            root.release();
        }
    }

    private static int detach(String path, int flags) {
        Scratch scratch = Scratch.take();
        try {
            int ignored = CString.put(scratch.bytes, 0, path);
            return Libc.intCall(UMOUNT2, scratch.errno, scratch.address, flags, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /**
     * Makes a new file system whose mount is not attached yet: {@code fsopen(2)}, {@code
     * fsconfig(2)}, {@code fsmount(2)}.
     *
     * @param type the type of file system, such as {@code tmpfs}
     * @param options the options with their values; an empty value sets a flag
     * @param attributes the attributes of the mount: a sum of the constants of this class
     * @return the mount, owned by the caller
     * @throws ErrnoException ENODEV (no such type), EINVAL (an option), EPERM
     */
    public static Fd fileSystem(String type, Map<String, String> options, long attributes) {
        Libc.Function fsopen = present(FSOPEN, "fsopen");
        Libc.Function fsmount = present(FSMOUNT, "fsmount");
        Scratch scratch = Scratch.take();
        int r;
        try {
            int ignored = CString.put(scratch.bytes, 0, type);
            r = Libc.intCall(fsopen, scratch.errno, scratch.address, FSOPEN_CLOEXEC, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
        try (Fd context = Fd.adopt(r, "fsopen", type)) {
            options.forEach((key, value) -> {
                String shown = type + " " + key + "=" + value;
                int how = value.isEmpty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
                check(configure(context, how, key, value), "fsconfig", shown);
            });
            check(configure(context, FSCONFIG_CMD_CREATE, "", ""), "fsconfig(CREATE)", type);
            int number = context.acquire();
            try {
                r = Libc.intCall(fsmount, number, FSMOUNT_CLOEXEC, attributes, 0, 0, 0);
            } finally {
                context.release();
            }
            return Fd.adopt(r, "fsmount", type);
        }
    }

    private static void check(int result, String call, String subject) {
        int ignored = ErrnoException.check(result, call, subject);
    }

    private static int configure(Fd context, int command, String key, String value) {
        Libc.Function fsconfig = present(FSCONFIG, "fsconfig");
        Scratch scratch = Scratch.take();
        int number = context.acquire();
        try {
            int end = CString.put(scratch.bytes, 0, key);
            int ignored = CString.put(scratch.bytes, end, value);
            return Libc.intCall(
                    fsconfig,
                    scratch.errno,
                    number,
                    command,
                    key.isEmpty() ? 0 : scratch.address,
                    value.isEmpty() ? 0 : scratch.address + end,
                    0,
                    0);
        } finally {
            context.release();
            scratch.release();
        }
    }
}
