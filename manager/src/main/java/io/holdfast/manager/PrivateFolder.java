package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.nio.file.Path;

/**
 * A temporary folder that one run has for itself ({@code PrivateTmp=}): everybody's to write in, in
 * one that nobody else can enter. Removed with all that is in it when it is closed. Blocking.
 */
final class PrivateFolder implements AutoCloseable {
    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int CLOSED = 0700;
    private static final int STICKY = 01777;
    private static final String INNER = "tmp";

    private final Path base;
    private final String name;

    private PrivateFolder(Path base, String name) {
        this.base = base;
        this.name = name;
    }

    /**
     * @param base where everybody may make folders
     * @param name that nobody could foresee
     * @throws ErrnoException EEXIST, ENOSPC, EROFS
     */
    static PrivateFolder make(Path base, String name) {
        PrivateFolder made = new PrivateFolder(base, name);
        try (Fd parent = Fcntl.open(base.toString(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            check(SysStat.mkdirat(parent, name, CLOSED), "mkdirat", base.resolve(name));
            try (Fd outer = Fcntl.open(parent, name, FOLDER, 0)) {
                check(SysStat.mkdirat(outer, INNER, CLOSED), "mkdirat", made.path());
                try (Fd inner = Fcntl.open(outer, INNER, FOLDER, 0)) {
                    check(SysStat.fchmod(inner, STICKY), "fchmod", made.path());
                }
            } catch (RuntimeException e) {
                made.close();
                throw e;
            }
        }
        return made;
    }

    private static void check(int result, String call, Path path) {
        if (result < 0) {
            throw new ErrnoException(call, path.toString(), -result);
        }
    }

    /** Where the run sees it. */
    Path base() {
        return base;
    }

    /** What the run sees in the place of the base. */
    Path path() {
        return base.resolve(name).resolve(INNER);
    }

    /**
     * @throws ErrnoException if something is left
     */
    @Override
    public void close() {
        try (Fd parent = Fcntl.open(base.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            TreeRemoval.remove(parent, name, base.resolve(name).toString());
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }
}
