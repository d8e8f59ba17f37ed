package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.SysStat;
import org.jspecify.annotations.Nullable;

/**
 * The folders of services with {@code DynamicUser=}: {@code /var/lib/private/NAME}, with a symbolic
 * link at {@code /var/lib/NAME}.
 *
 * <p>The number of a dynamic user belongs to somebody else after the service has stopped. Only root
 * can enter {@code private}, so nobody reaches the files that have this number, not even those with
 * set-user-ID bits. The service sees its own folders there ({@link Sandbox}), which are given to
 * its current user before each start ({@link TreeOwnership}). Blocking.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html#DynamicUser=">systemd.exec,
 *     DynamicUser=</a>
 */
final class PrivateDirectories {
    /** The name of the folder below each root. */
    static final String NAME = "private";

    private static final int MODE = 0700;
    private static final long ROOT = 0;

    private PrivateDirectories() {}

    /** Opens the folder below a root, which only root can enter; makes it if it is missing. */
    static Directory open(Directory top) throws FileException {
        boolean _ = top.makeDirectory(NAME, MODE);
        Directory opened = top.enter(NAME);
        try {
            FileStatus stat = opened.stat();
            if (stat.uid() != ROOT || stat.gid() != ROOT) {
                opened.chown(ROOT, ROOT);
            }
            if ((stat.mode() & 07777) != MODE) {
                opened.chmod(MODE);
            }
            return opened;
        } catch (FileException e) {
            opened.close();
            throw e;
        }
    }

    /**
     * Moves a folder that is directly below the root, since its service had no dynamic user before.
     */
    static void moveInto(Directory base, Directory top, String path) throws FileException {
        String name = Directory.nameOf(path);
        try (Directory from = ExecDirectories.parent(top, path, false)) {
            if (from.stat(name).filter(FileStatus::isDirectory).isPresent()) {
                try (Directory to = ExecDirectories.parent(base, path, true)) {
                    move(from, to, name);
                }
            }
        } catch (FileException e) {
            if (!e.isMissing()) {
                throw e;
            }
        }
    }

    /** Moves a folder back to the root, since its service has no dynamic user any more. */
    static void moveOut(Directory top, String path, long uid, long gid) throws FileException {
        String name = Directory.nameOf(path);
        String target = ExecDirectories.targetOf(path, NAME + "/" + path);
        try (Directory to = ExecDirectories.parent(top, path, false)) {
            if (!ExecDirectories.isLink(to, name, target)) {
                return;
            }
            try (Directory base = top.enter(NAME);
                    Directory from = ExecDirectories.parent(base, path, false);
                    Directory folder = from.enter(name)) {
                TreeOwnership.setAll(folder, Math.max(uid, ROOT), Math.max(gid, ROOT));
                boolean _ = to.remove(name);
                try {
                    move(from, to, name);
                } catch (FileException e) {
                    boolean _ = to.link(name, target);
                    throw e;
                }
            }
        } catch (FileException e) {
            if (!e.isMissing()) {
                throw e;
            }
        }
    }

    private static void move(Directory from, Directory to, String name) throws FileException {
        int r = SysStat.renameNoReplace(from.fd(), name, to.fd(), name);
        if (r < 0) {
            throw FileException.refusal(
                    from.path() + "/" + name,
                    "cannot be moved to " + to.path(),
                    -r,
                    remedy(-r, from.path() + "/" + name, to.path() + "/" + name));
        }
    }

    private static @Nullable String remedy(int errno, String from, String to) {
        return switch (errno) {
            case Errno.EEXIST -> "remove one of the two";
            case Errno.EXDEV -> // overlayfs(5) does not rename a folder of the image
                    "the image of a container has it; copy it while the unit is stopped:"
                            + " cp -a -T %s %s && rm -r %s".formatted(from, to, from);
            default -> null;
        };
    }
}
