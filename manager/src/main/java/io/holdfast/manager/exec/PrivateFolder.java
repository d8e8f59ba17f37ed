package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A temporary folder for one run ({@code PrivateTmp=}): every user may write to it, but it is in a
 * folder that only the manager's user may enter. Its close removes it with its content. Blocking.
 *
 * <p>Its name contains the boot and the cgroup of the run, so that a later manager can find out
 * whether a process may still use it ({@link #isUnused}).
 */
final class PrivateFolder implements AutoCloseable {
    /** The prefix of all names. */
    static final String PREFIX = "holdfast-private-";

    private static final Pattern NAME =
            Pattern.compile(
                    PREFIX + "[0-9a-f]{32}-(?<boot>[0-9a-f]{32})-(?<cgroup>[0-9a-f]{1,16})-.*");
    private static final int MAX_PREFIX = 255 - 17; // a dash and what ScratchFolder adds
    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int OWNER_ALONE = 0700;
    private static final int STICKY = 01777;
    private static final String INNER = "tmp";

    private final String base;
    private final ScratchFolder outer;

    private PrivateFolder(String base, ScratchFolder outer) {
        this.base = base;
        this.outer = outer;
    }

    /** Returns the name of a run's folder, to which random digits are added. */
    static String name(UnitName unit, String invocationId, Optional<Cgroup> cgroup) {
        String name =
                "%s%s-%s-%x-%s"
                        .formatted(
                                PREFIX,
                                invocationId,
                                hex(ProcessId.currentBoot()),
                                cgroup.map(Cgroup::id).orElse(0L),
                                unit.prefix());
        return (name.length() > MAX_PREFIX ? name.substring(0, MAX_PREFIX) : name) + "-";
    }

    private static String hex(UUID boot) {
        return boot.toString().replace("-", "");
    }

    /**
     * Makes a folder.
     *
     * @param base where all users may make folders
     * @param name as {@link #name} gives it
     * @throws ErrnoException ENOSPC, EROFS
     */
    static PrivateFolder make(String base, String name) throws FileException {
        PrivateFolder made = new PrivateFolder(base, ScratchFolder.make(Path.of(base), name));
        try {
            Fd outer = made.outer.fd();
            check(SysStat.mkdirat(outer, INNER, OWNER_ALONE), "mkdirat", made.path());
            try (Fd inner = Fcntl.open(outer, INNER, FOLDER, 0)) {
                check(SysStat.fchmod(inner, STICKY), "fchmod", made.path());
            }
        } catch (RuntimeException e) {
            made.removeAfter(e);
            throw e;
        }
        return made;
    }

    /**
     * Adopts the folder of a run whose manager was killed.
     *
     * @param name as {@link #name} gives it
     * @param locks those that the manager has kept, lent; the lock of any other folder is free
     */
    static Optional<PrivateFolder> find(String base, String name, Collection<Fd> locks) {
        List<PrivateFolder> found = new ArrayList<>();
        try (Fd folder = Fcntl.open(base, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            SysDirent.forEachDirectory(
                    folder,
                    each -> {
                        if (each.startsWith(name)) {
                            held(folder, Path.of(base, each), locks)
                                    .ifPresent(outer -> found.add(new PrivateFolder(base, outer)));
                        }
                        return found.isEmpty();
                    });
        }
        return found.stream().findFirst();
    }

    private static Optional<ScratchFolder> held(Fd above, Path path, Collection<Fd> locks) {
        return locks.stream()
                .flatMap(lock -> ScratchFolder.lockedBy(above, path, lock).stream())
                .findFirst()
                .or(() -> ScratchFolder.dead(above, path));
    }

    /** {@return the descriptor that holds its lock, lent} */
    Fd lock() {
        return outer.fd();
    }

    private void removeAfter(RuntimeException failure) {
        try {
            close();
        } catch (FileException e) {
            failure.addSuppressed(e);
        }
    }

    private static void check(int r, String call, String path) {
        ErrnoException.check(r, call, path);
    }

    /**
     * Returns whether no process of the run that had a folder of this name can be alive: the
     * machine was booted again since, or the run's cgroup is empty or gone. False if the run had no
     * cgroup.
     */
    static boolean isUnused(String name) {
        Matcher parts = NAME.matcher(name);
        if (!parts.matches()) {
            return false;
        }
        if (!parts.group("boot").equals(hex(ProcessId.currentBoot()))) {
            return true;
        }
        long cgroup = Long.parseUnsignedLong(parts.group("cgroup"), 16);
        return cgroup != 0 && isEmpty(cgroup);
    }

    private static boolean isEmpty(long id) {
        try (Cgroup cgroup = Cgroup.ofId(id)) {
            return !cgroup.isPopulated();
        } catch (ErrnoException e) {
            return switch (e.errno()) {
                case Errno.ESTALE, Errno.ENOENT, Errno.ENODEV -> true;
                default -> false;
            };
        }
    }

    /** {@return where the run sees it} */
    String base() {
        return base;
    }

    /** {@return the folder that the run sees in place of the base} */
    String path() {
        return outer.path().resolve(INNER).toString();
    }

    /**
     * Removes the folder.
     *
     * @throws FileException if something is left
     */
    @Override
    public void close() throws FileException {
        try (outer;
                Directory parent = Directory.held(outer.shared(), base)) {
            TreeRemoval.remove(parent, String.valueOf(outer.path().getFileName()));
        } catch (FileException e) {
            if (!e.isMissing()) {
                throw e;
            }
        }
    }
}
