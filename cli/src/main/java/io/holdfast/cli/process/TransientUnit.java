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
 * The cgroup that a command is born in. One that was made for it goes with it: whatever is left in
 * it is killed, and it is removed. One that was there before is left as it is.
 */
final class TransientUnit implements AutoCloseable {
    /** How long what was killed may take to be gone. */
    private static final Duration DYING = Duration.ofSeconds(10);

    private final Cgroup cgroup;
    private final boolean made;

    private static final FileAttribute<Set<PosixFilePermission>> MODE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x"));

    private TransientUnit(Cgroup cgroup, boolean made) {
        this.cgroup = cgroup;
        this.made = made;
    }

    /**
     * Makes one below a cgroup.
     *
     * @param name of the unit, which is escaped where a cgroup could not bear it
     * @throws CommandException if it is there already, or cannot be made
     */
    static TransientUnit make(Cgroup parent, String name) {
        String escaped = CgroupPath.escape(name);
        Path folder = Path.of(Cgroup.mountPoint() + parent.path(), escaped);
        try {
            // unlike Cgroup.create it reports that somebody else has made it
            Path _ = Files.createDirectory(folder, MODE);
        } catch (FileAlreadyExistsException e) {
            throw new CommandException("there is a cgroup " + folder + " already", e);
        } catch (AccessDeniedException e) {
            throw new CommandException(
                    "no cgroup can be made in " + folder.getParent() + " (EACCES)", e);
        } catch (NoSuchFileException e) {
            throw new CommandException("there is no cgroup " + folder.getParent(), e);
        } catch (IOException e) {
            throw new CommandException("no cgroup " + folder + ": " + e.getMessage(), e);
        }
        return new TransientUnit(parent.child(escaped), true);
    }

    /**
     * The cgroup of that path, made if it is not there.
     *
     * @param path from the root of the hierarchy if it begins with a slash, else below our own
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
                throw new CommandException("there is no cgroup " + above);
            }
            try (Cgroup parent = Cgroup.open(above)) {
                return make(parent, place.path().substring(slash + 1));
            }
        }
    }

    /** Lent. */
    Cgroup cgroup() {
        return cgroup;
    }

    /**
     * Ends what is left in it.
     *
     * @return whether anything was
     * @throws CommandException if something in it does not die
     */
    boolean end() throws InterruptedException {
        if (!made || !cgroup.isPopulated()) {
            return false;
        }
        cgroup.kill();
        if (!cgroup.awaitEmpty(DYING)) {
            throw new CommandException(
                    "killed, but not gone after " + DYING.toSeconds() + " s: what is in " + cgroup);
        }
        return true;
    }

    /** Removes it if it was made here and {@link #end} has emptied it. */
    @Override
    public void close() {
        try (cgroup) {
            if (made && !cgroup.isPopulated()) {
                cgroup.removeAll();
            }
        }
    }
}
