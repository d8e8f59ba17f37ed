package io.holdfast.core.linux;

import io.holdfast.core.linux.SysStat.Stat;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;

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
 * <p>Whoever may write to a folder chooses what a daemon reads there, and whoever may write to a
 * folder above it can put another one in its place. So every folder on the way from the root is
 * opened by itself ({@code O_PATH|O_NOFOLLOW}) and checked by that descriptor: it belongs to root,
 * to our own effective user or to the owner of the root folder (in a user namespace root itself may
 * have no other number), and neither its group nor everybody may write to it. A folder above with
 * the sticky bit, such as {@code /tmp}, is an exception: what others own there is refused, and what
 * we own they can neither rename nor remove. A symbolic link above the folder is followed if one of
 * those owners made it; the folder itself must be no link.
 *
 * <p>Another user cannot change any of this afterwards, so that a path below a trusted folder stays
 * as good as its descriptor. Safe for use by any thread.
 */
public final class TrustedFolder implements AutoCloseable {
    private static final int PLACE = Fcntl.O_PATH | Fcntl.O_NOFOLLOW;
    private static final int NEW_FILE =
            Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_NOFOLLOW;
    private static final int PUBLIC = 0755;
    private static final int ALL_BITS = 07777;
    private static final int MAX_LINKS = 40; // as in the kernel

    private final Fd fd;
    private final Path path;

    private TrustedFolder(Fd fd, Path path) {
        this.fd = fd;
        this.path = path;
    }

    /**
     * Opens a folder, and makes it, and those above it, if they are missing: with the mode 0755,
     * whatever the umask.
     *
     * @throws ErrnoException EPERM or ELOOP if it cannot be trusted, with the reason and the
     *     remedy; else as mkdir(2) and open(2)
     */
    public static TrustedFolder make(Path path) {
        return make(path, PUBLIC);
    }

    /**
     * The same with another mode of the folder itself, if it is made here.
     *
     * @param mode 0 to 0777
     */
    public static TrustedFolder make(Path path, int mode) {
        Path absolute = path.toAbsolutePath();
        return new TrustedFolder(new Walk(absolute, true, false).fromRoot(mode), absolute);
    }

    /**
     * Opens a folder that must be there.
     *
     * @throws ErrnoException as {@link #make}; ENOENT
     */
    public static TrustedFolder open(Path path) {
        Path absolute = path.toAbsolutePath();
        return new TrustedFolder(new Walk(absolute, false, false).fromRoot(PUBLIC), absolute);
    }

    /**
     * Refuses a folder in which another user could replace a file of ours, such as the socket of a
     * daemon. One with the sticky bit will do, although others may have files there.
     *
     * @throws ErrnoException as {@link #open}
     */
    public static void requireForSocket(Path path) {
        new Walk(path.toAbsolutePath(), false, true).fromRoot(PUBLIC).close();
    }

    /**
     * Opens a folder in this one, and makes it if it is missing.
     *
     * @param mode of a folder that is made, whatever the umask; one that is there keeps its own
     * @throws ErrnoException as {@link #make}
     */
    public TrustedFolder child(String name, int mode) {
        Path below = path.resolve(name);
        return new TrustedFolder(new Walk(below, true, false).last(fd, mode), below);
    }

    /**
     * Writes a new file, in the place of one that is there: whoever has the old one open cannot
     * change the new one.
     *
     * @param mode of the file, whatever the umask
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

    /** The descriptor ({@code O_PATH}), lent: for what is opened or made relative to the folder. */
    public Fd fd() {
        return fd;
    }

    /** The absolute path by which it was opened. */
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

    /** The way from the root to one folder. */
    private static final class Walk {
        private final Path path;
        private final boolean make;
        private final boolean maybeSticky;
        private final Deque<String> left = new ArrayDeque<>();
        private final long self = Unistd.geteuid();
        private final long rootOwner = SysStat.stat("/").uid();
        private int links;

        /**
         * @param make whether missing folders are made
         * @param maybeSticky whether others may write to the last folder if it has the sticky bit
         */
        Walk(Path path, boolean make, boolean maybeSticky) {
            this.path = path;
            this.make = make;
            this.maybeSticky = maybeSticky;
        }

        /**
         * @param mode of the last folder, if it is made
         */
        Fd fromRoot(int mode) {
            path.forEach(name -> left.add(name.toString()));
            Fd at = root();
            try {
                while (!left.isEmpty()) {
                    String name = left.removeFirst();
                    Fd next = step(at, name, left.isEmpty() ? mode : PUBLIC);
                    at.close();
                    at = next;
                }
                return at;
            } catch (RuntimeException e) {
                at.close();
                throw e;
            }
        }

        /** The folder itself, in one that is trusted. */
        Fd last(Fd at, int mode) {
            return step(at, String.valueOf(path.getFileName()), mode);
        }

        private Fd root() {
            Fd root = Fcntl.open("/", Fcntl.O_PATH | Fcntl.O_DIRECTORY);
            try {
                check(SysStat.stat(root), "/");
                return root;
            } catch (RuntimeException e) {
                root.close();
                throw e;
            }
        }

        /** The folder of that name, or, if that is a link, the one where its target starts. */
        private Fd step(Fd at, String name, int mode) {
            try (Fd next = opened(at, name, mode)) {
                Stat stat = SysStat.stat(next);
                if (stat.isLink()) {
                    String target = followed(at, name, stat);
                    return target.startsWith("/") ? root() : at.duplicate();
                }
                if (!stat.isDirectory()) {
                    throw refusal(
                            Errno.ENOTDIR,
                            (left.isEmpty() ? "it" : shown(name))
                                    + " is a file; remove it, or choose another folder");
                }
                check(stat, shown(name));
                return next.move();
            }
        }

        private Fd opened(Fd at, String name, int mode) {
            try {
                return Fcntl.open(at, name, PLACE, 0);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT || !make) {
                    throw new ErrnoException("open", path.toString(), e.errno());
                }
            }
            int r = SysStat.mkdirat(at, name, mode);
            if (r == 0) {
                r = SysStat.fchmodat(at, name, mode); // what the umask took
            }
            if (r < 0 && r != -Errno.EEXIST) {
                throw new ErrnoException("mkdir", shown(name), -r);
            }
            return Fcntl.open(at, name, PLACE, 0);
        }

        /** Puts the target of a link in the place of its name. */
        private String followed(Fd at, String name, Stat link) {
            if (left.isEmpty()) {
                throw refusal(
                        Errno.ELOOP,
                        "it is a symbolic link; remove the link, or name the folder itself");
            }
            if (!isTrusted(link.uid())) {
                throw refusal(
                        Errno.EPERM,
                        "%s is a symbolic link of user %d; remove it, or choose another folder"
                                .formatted(shown(name), link.uid()));
            }
            if (++links > MAX_LINKS) {
                throw refusal(Errno.ELOOP, "it leads through more than " + MAX_LINKS + " links");
            }
            String target = Unistd.readlinkat(at, name);
            Deque<String> names = new ArrayDeque<>();
            KernelPath.of(target).forEach(part -> names.addFirst(part.toString()));
            names.forEach(left::addFirst);
            return target;
        }

        private boolean isTrusted(long uid) {
            return uid == 0 || uid == self || uid == rootOwner;
        }

        private void check(Stat stat, String shown) {
            boolean last = left.isEmpty();
            if (!isTrusted(stat.uid())) {
                throw refusal(
                        Errno.EPERM,
                        "%s belongs to user %d, not to root or user %d; %schoose another folder"
                                .formatted(shown, stat.uid(), self, last ? "remove it, or " : ""));
            }
            if (!stat.isWritableByOthers() || (stat.isSticky() && (!last || maybeSticky))) {
                return;
            }
            String mode = "0" + Integer.toOctalString(stat.mode() & ALL_BITS);
            String reason;
            if (!last || maybeSticky) {
                reason =
                        "other users may replace what is in %s (mode %s); chmod go-w %s, or choose another folder"
                                .formatted(shown, mode, shown);
            } else if (stat.isSticky()) {
                reason = "all users share it (mode " + mode + "); choose a folder of its own in it";
            } else {
                reason =
                        "other users may write to it (mode "
                                + mode
                                + "); remove it with all that is in it, or choose another folder";
            }
            throw refusal(Errno.EPERM, reason);
        }

        /** The path up to a name, as far as it was not changed by links. */
        private String shown(String name) {
            int names = path.getNameCount() - left.size();
            return links == 0 && names > 0 ? "/" + path.subpath(0, names) : "\"" + name + "\"";
        }

        private ErrnoException refusal(int errno, String reason) {
            return new ErrnoException("open", path.toString(), errno, reason);
        }
    }
}
