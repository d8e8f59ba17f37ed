package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A folder in which no other user can put, change or replace a file, held by descriptor.
 *
 * <pre>
 *   try (TrustedFolder runtime = TrustedFolder.make(Path.of("/run/holdfast"));
 *           TrustedFolder units = runtime.child("units", 0755)) {
 *       units.write("dbus.socket", 0644, text);
 *   }
 * </pre>
 *
 * <p>A user who may write to a folder chooses what a daemon reads there, and a user who may write
 * to a folder above it can put another one in its place. So every folder on the way from the root
 * is held ({@link PathWalk}) and checked by its descriptor: it belongs to root, to our own
 * effective user or to the owner of the root folder (in a user namespace, root may have only that
 * number), and neither its group nor everybody may write to it. A folder above may be writable by
 * everybody if it has the sticky bit, as {@code /tmp} has: other users cannot rename or remove our
 * entries there, and an entry that another user owns is refused. A symbolic link above the folder
 * is followed if one of those owners made it; the folder itself must not be a link.
 *
 * <p>Another user cannot change any of this afterwards, so a path below a trusted folder stays as
 * safe as its descriptor. Safe for use by any thread.
 */
public final class TrustedFolder implements AutoCloseable {
    private static final int NEW_FILE =
            Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_NOFOLLOW;
    private static final int PUBLIC = 0755;
    private static final int ALL_BITS = 07777;

    private final Fd fd;
    private final Path path;

    private TrustedFolder(Fd fd, Path path) {
        this.fd = fd;
        this.path = path;
    }

    /**
     * Opens a folder. Makes it and the folders above it if they are missing, with the mode 0755,
     * whatever the umask.
     *
     * @return the folder, owned by the caller
     * @throws ErrnoException EPERM or ELOOP if it cannot be trusted, with the reason and the
     *     remedy; other errors of mkdir(2) and open(2)
     */
    public static TrustedFolder make(Path path) {
        return make(path, PUBLIC);
    }

    /**
     * Opens or makes a folder like {@link #make(Path)}, but makes the last folder of the path with
     * another mode.
     *
     * @param mode the permissions, 0 to 0777
     * @return the folder, owned by the caller
     */
    public static TrustedFolder make(Path path, int mode) {
        Path absolute = path.toAbsolutePath();
        return new TrustedFolder(walk(absolute, null, mode, false), absolute);
    }

    /**
     * Opens an existing folder.
     *
     * @return the folder, owned by the caller
     * @throws ErrnoException as {@link #make}; ENOENT if it is missing
     */
    public static TrustedFolder open(Path path) {
        Path absolute = path.toAbsolutePath();
        return new TrustedFolder(walk(absolute, null, -1, false), absolute);
    }

    /**
     * Throws if another user could replace our files in a folder, such as the socket of a daemon. A
     * folder with the sticky bit is accepted, although other users may make files there.
     *
     * @throws ErrnoException as {@link #open}
     */
    public static void requireForSocket(Path path) {
        walk(path.toAbsolutePath(), null, -1, true).close();
    }

    /**
     * Opens a folder in this one. Makes it if it is missing.
     *
     * @param name the name in this folder, without a slash
     * @param mode the mode of a new folder, whatever the umask; an existing one keeps its mode
     * @return the folder, owned by the caller
     * @throws ErrnoException as {@link #make}
     */
    public TrustedFolder child(String name, int mode) {
        Path below = path.resolve(name);
        return new TrustedFolder(walk(below, fd, mode, false), below);
    }

    /**
     * @param start the folder that holds the last name; null to walk the whole path from the root
     * @param mode the mode of a new folder; -1 if it must exist
     * @param maySticky whether others may write to the folder if it has the sticky bit
     */
    private static Fd walk(Path path, @Nullable Fd start, int mode, boolean maySticky) {
        String shown = KernelPath.text(path);
        String names = start == null ? shown : Directory.nameOf(shown);
        Check check = new Check(shown, maySticky);
        try (PathWalk walk = new PathWalk(shown, start, false, true, names, check)) {
            if (mode >= 0) {
                var _ = walk.making(PUBLIC, mode);
            }
            return walk.toDirectory().takeDirectory();
        } catch (FileException e) {
            throw e.asErrno("open", shown);
        }
    }

    /**
     * Writes a new file. Unlinks an old one of that name first, so a process that has the old file
     * open cannot change the new one.
     *
     * @param name the name in this folder, without a slash
     * @param mode the mode of the file, whatever the umask
     * @throws ErrnoException EISDIR, ENOSPC and others
     */
    public void write(String name, int mode, byte[] content) {
        int r = SysStat.unlinkat(fd, name);
        if (r < 0 && r != -Errno.ENOENT) {
            throw new ErrnoException("unlink", path.resolve(name).toString(), -r);
        }
        try (Fd file = Fcntl.open(fd, name, NEW_FILE, mode)) {
            ErrnoException.check(SysStat.fchmod(file, mode), "fchmod", name);
            for (int written = 0; written < content.length; ) {
                int n = Unistd.write(file, content, written, content.length - written);
                written += ErrnoException.check(n, "write", name);
            }
        } catch (ErrnoException e) {
            throw e.of(path);
        }
    }

    /**
     * {@return the descriptor ({@code O_PATH}), lent, for calls that take a name relative to the
     * folder}
     */
    public Fd fd() {
        return fd;
    }

    /** {@return the absolute path by which it was opened} */
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        fd.close();
    }

    @Override
    public String toString() {
        return path.toString();
    }

    /**
     * The checks that make a folder a trusted one.
     *
     * @param path the path of the folder, for messages
     * @param maySticky whether others may write to the last folder if it has the sticky bit
     * @param self the effective user of this process
     */
    private record Check(String path, boolean maySticky, long self, long rootOwner)
            implements PathWalk.Judge {
        Check(String path, boolean maySticky) {
            this(path, maySticky, Unistd.geteuid(), SysStat.stat("/").uid());
        }

        private boolean isTrusted(long uid) {
            return uid == 0 || uid == self || uid == rootOwner;
        }

        @Override
        public void judgeLink(String place, FileStatus directory, FileStatus link, boolean last) {
            if (last) {
                throw refusal(
                        Errno.ELOOP,
                        "it is a symbolic link; remove the link, or name the folder itself");
            }
            boolean mayBeHardLink = directory.isWritableByOthers() && link.links() > 1;
            if (!isTrusted(link.uid()) || mayBeHardLink) {
                throw refusal(
                        Errno.EPERM,
                        "%s is a symbolic link of user %d%s; remove it, or choose another folder"
                                .formatted(
                                        place,
                                        link.uid(),
                                        mayBeHardLink ? " with several names" : ""));
            }
        }

        @Override
        public void judge(String place, FileStatus stat, boolean last) {
            if (!stat.isDirectory()) {
                throw refusal(
                        Errno.ENOTDIR,
                        (last ? "it" : place) + " is a file; remove it, or choose another folder");
            }
            if (!isTrusted(stat.uid())) {
                throw refusal(
                        Errno.EPERM,
                        "%s belongs to user %d, not to root or user %d; %schoose another folder"
                                .formatted(place, stat.uid(), self, last ? "remove it, or " : ""));
            }
            boolean sticky = stat.isSticky();
            if (stat.isWritableByOthers() && !(sticky && (!last || maySticky))) {
                String mode = "0" + Integer.toOctalString(stat.mode() & ALL_BITS);
                throw refusal(Errno.EPERM, reason(place, mode, sticky, last));
            }
        }

        private String reason(String place, String mode, boolean sticky, boolean last) {
            if (!last || maySticky) {
                return "other users may replace what is in %s (mode %s); chmod go-w %s, or choose another folder"
                        .formatted(place, mode, place);
            }
            return sticky
                    ? "all users share it (mode " + mode + "); choose a folder of its own in it"
                    : "other users may write to it (mode "
                            + mode
                            + "); remove it with all that is in it, or choose another folder";
        }

        private ErrnoException refusal(int errno, String reason) {
            return new ErrnoException("open", path, errno, reason);
        }
    }
}
