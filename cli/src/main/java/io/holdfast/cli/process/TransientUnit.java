package io.holdfast.cli.process;

import io.holdfast.cli.command.CommandException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;

/**
 * The cgroup into which a command is spawned. If it was created for the command, its remaining
 * processes are killed when the command ends, and it is removed. A cgroup that existed before is
 * left as it is.
 */
final class TransientUnit implements AutoCloseable {
    /** How long killed processes may take to exit. */
    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(10);

    private final Cgroup cgroup;
    private final boolean created;

    private static final FileAttribute<Set<PosixFilePermission>> MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));

    private TransientUnit(Cgroup cgroup, boolean created) {
        this.cgroup = cgroup;
        this.created = created;
    }

    /**
     * Creates a cgroup below another one.
     *
     * @param name the name of the unit, which is escaped if a cgroup cannot have it
     * @throws CommandException if the cgroup exists already, or cannot be created
     */
    static TransientUnit create(Cgroup parent, String name) {
        String escaped = CgroupPath.escape(name);
        Path folder = Path.of(Cgroup.mountPoint() + parent.path(), escaped);
        try {
            // unlike Cgroup.create, this fails if the cgroup exists
            Path _ = Files.createDirectory(folder, MODE);
        } catch (FileAlreadyExistsException e) {
            throw new CommandException("cgroup " + folder + " exists already (EEXIST)", e);
        } catch (AccessDeniedException e) {
            throw new CommandException(
                    "cannot create a cgroup in " + folder.getParent() + " (EACCES)", e);
        } catch (NoSuchFileException e) {
            throw new CommandException("no such cgroup: " + folder.getParent(), e);
        } catch (IOException e) {
            throw new CommandException("cannot create cgroup " + folder + ": " + e.getMessage(), e);
        }
        return new TransientUnit(parent.child(escaped), true);
    }

    /**
     * Opens the cgroup with this path, or creates it if it does not exist.
     *
     * @param path a path from the root of the hierarchy if it begins with a slash, else below the
     *     cgroup of this process
     */
    static TransientUnit at(String path) {
        try (Cgroup own = path.startsWith("/") ? Cgroup.root() : Cgroup.own()) {
            String full = own.path().isRoot() ? "/" + path : own.path() + "/" + path;
            CgroupPath place = CgroupPath.parse(full);
            if (Files.isDirectory(Path.of(Cgroup.mountPoint() + place))) {
                return new TransientUnit(Cgroup.open(place.path()), false);
            }
            int slash = place.path().lastIndexOf('/');
            String above = slash == 0 ? "/" : place.path().substring(0, slash);
            if (!Files.isDirectory(Path.of(Cgroup.mountPoint() + above))) {
                throw new CommandException("no such cgroup: " + above);
            }
            try (Cgroup parent = Cgroup.open(above)) {
                return create(parent, place.path().substring(slash + 1));
            }
        }
    }

    /** Returns the cgroup, which stays owned by this object. */
    Cgroup cgroup() {
        return cgroup;
    }

    /**
     * Kills the processes that are left in a cgroup that was created here.
     *
     * @return whether there were any
     * @throws CommandException if a process does not exit in time
     */
    boolean end() throws InterruptedException {
        if (!created || !cgroup.isPopulated()) {
            return false;
        }
        cgroup.kill();
        if (!cgroup.awaitEmpty(KILL_TIMEOUT)) {
            throw new CommandException(
                    cgroup
                            + ": processes were killed, but still exist after "
                            + KILL_TIMEOUT.toSeconds()
                            + " s");
        }
        return true;
    }

    /** Removes the cgroup if it was created here and {@link #end} has emptied it. */
    @Override
    public void close() {
        try (cgroup) {
            if (created && !cgroup.isPopulated()) {
                cgroup.removeAll();
            }
        }
    }
}
