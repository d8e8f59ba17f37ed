package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.Links;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.List;
import java.util.Optional;

/**
 * A directory that is held open ({@code O_PATH}). Its methods act on names in this same directory,
 * whatever is renamed meanwhile. A name is a single name, not a path, and a symbolic link of that
 * name is never followed. Safe for use by any thread.
 */
public final class Directory implements AutoCloseable {
    private final String path;
    private final Fd fd;
    private final boolean stable;

    private Directory(String path, Fd fd, boolean stable) {
        this.path = path;
        this.fd = fd;
        this.stable = stable;
    }

    private static Directory of(String path, PathWalk walk) {
        boolean stable = walk.isStable();
        return new Directory(path, walk.takeDirectory(), stable);
    }

    /**
     * Opens a directory; symbolic links are {@linkplain Links#GUARDED guarded}.
     *
     * @param path absolute, or relative to the working directory
     * @return the directory, owned by the caller
     * @throws FileException if it is missing, not a directory, or refused
     */
    public static Directory open(String path) throws FileException {
        return open(path, Links.GUARDED);
    }

    /**
     * Opens a directory.
     *
     * @param path absolute, or relative to the working directory
     * @param links which symbolic links are followed
     * @return the directory, owned by the caller
     * @throws FileException if it is missing, not a directory, or refused
     */
    public static Directory open(String path, Links links) throws FileException {
        try (PathWalk walk = new PathWalk(path, null, false, true, path, links)) {
            return of(path, walk.toDirectory());
        }
    }

    /**
     * Makes a directory from an open descriptor.
     *
     * @param fd the descriptor; lent, since it is duplicated
     * @param path the path for messages
     * @return the directory, owned by the caller
     * @throws FileException EMFILE
     */
    public static Directory held(Fd fd, String path) throws FileException {
        try {
            return new Directory(path, fd.duplicate(), false);
        } catch (ErrnoException e) {
            throw FileCalls.failed(path, e);
        }
    }

    /**
     * Opens a directory. Makes it and the directories above it if they are missing.
     *
     * @param mode the permissions of new directories, whatever the umask
     * @return the directory, owned by the caller
     * @throws FileException if a part of the path is not a directory, is refused, or cannot be made
     */
    public static Directory make(String path, int mode) throws FileException {
        try (PathWalk walk = new PathWalk(path, null, false, true, path, Links.GUARDED)) {
            return of(path, walk.making(mode).toDirectory());
        }
    }

    /**
     * Opens the directory that holds a file, or will hold it.
     *
     * @param file the path of the file, whose last name is ignored
     * @return the directory, owned by the caller
     * @throws FileException if the directory is missing, not a directory, or refused
     */
    public static Directory ofParent(String file) throws FileException {
        return open(parentOf(file));
    }

    /** {@return the path of the directory that holds a file} */
    public static String parentOf(String file) {
        int slash = file.lastIndexOf('/');
        return slash < 0 ? "." : file.substring(0, slash + 1);
    }

    /** {@return the last name of a path} */
    public static String nameOf(String file) {
        return file.substring(file.lastIndexOf('/') + 1);
    }

    /**
     * Opens a file below this directory.
     *
     * @param below a relative path that does not lead out of the directory
     * @return the file, owned by the caller
     * @throws FileException as {@link OpenedFile#open}
     */
    public OpenedFile open(String below, OpenHow how) throws FileException {
        String shown = shown(below);
        return FileOpening.open(
                shown, how, () -> new PathWalk(shown, fd, true, stable, below, how.links()));
    }

    // ---- the files in the directory

    /**
     * Opens a directory in this one.
     *
     * @param name the name of a file in this directory, without a slash
     * @return the directory, owned by the caller
     * @throws FileException if it is missing, not a directory, or a symbolic link
     */
    public Directory enter(String name) throws FileException {
        requireName(name);
        String shown = shown(name);
        try (PathWalk walk = new PathWalk(shown, fd, true, stable, name, Links.REFUSED)) {
            return of(shown, walk.toDirectory());
        }
    }

    /**
     * Makes a directory. The umask applies to its permissions.
     *
     * @param name the name of a file in this directory, without a slash
     * @return false if the name exists
     * @throws FileException with the errno of the call that failed
     */
    public boolean makeDirectory(String name, int mode) throws FileException {
        requireName(name);
        int r = SysStat.mkdirat(fd, name, mode);
        if (r == -Errno.EEXIST) {
            return false;
        }
        FileCalls.check(r, "mkdir", shown(name));
        return true;
    }

    /**
     * Makes a FIFO. The umask applies to its permissions.
     *
     * @param name the name of a file in this directory, without a slash
     * @return false if the name exists
     * @throws FileException with the errno of the call that failed
     */
    public boolean makeFifo(String name, int mode) throws FileException {
        requireName(name);
        int r = SysStat.mkfifoat(fd, name, mode);
        if (r == -Errno.EEXIST) {
            return false;
        }
        FileCalls.check(r, "mkfifo", shown(name));
        return true;
    }

    /**
     * Makes a symbolic link.
     *
     * @param name the name of a file in this directory, without a slash
     * @return false if the name exists
     * @throws FileException with the errno of the call that failed
     */
    public boolean link(String name, String target) throws FileException {
        requireName(name);
        int r = SysStat.symlinkat(target, fd, name);
        if (r == -Errno.EEXIST) {
            return false;
        }
        FileCalls.check(r, "symlink", shown(name));
        return true;
    }

    /**
     * Reads a symbolic link.
     *
     * @param name the name of a file in this directory, without a slash
     * @return the target of the link; empty if there is no such link
     */
    public Optional<String> linkTarget(String name) {
        requireName(name);
        try {
            return Optional.of(Unistd.readlinkat(fd, name));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    /**
     * Returns the status of a file, or of a symbolic link itself.
     *
     * @param name the name of a file in this directory, without a slash
     * @return the status; empty if there is no such file
     * @throws FileException with the errno of the call that failed
     */
    public Optional<FileStatus> stat(String name) throws FileException {
        requireName(name);
        try {
            return Optional.of(SysStat.stat(fd, name));
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return Optional.empty();
            }
            throw FileCalls.failed(shown(name), e);
        }
    }

    /**
     * Holds a file, or a symbolic link itself, by a descriptor that can neither read nor write it
     * ({@code O_PATH}).
     *
     * @param name the name of a file in this directory, without a slash
     * @return the descriptor, owned by the caller
     * @throws FileException ENOENT if there is no such file
     */
    public Fd hold(String name) throws FileException {
        requireName(name);
        int r = Fcntl.openat(fd, name, Fcntl.O_PATH | Fcntl.O_NOFOLLOW, 0);
        FileCalls.check(r, "open", shown(name));
        return Fd.adopt(r);
    }

    /**
     * Removes the name of a file of any kind but a directory.
     *
     * @param name the name of a file in this directory, without a slash
     * @return false if there is no such file
     * @throws FileException with the errno of the call that failed
     */
    public boolean remove(String name) throws FileException {
        requireName(name);
        int r = SysStat.unlinkat(fd, name);
        if (r == -Errno.ENOENT) {
            return false;
        }
        FileCalls.check(r, "unlink", shown(name));
        return true;
    }

    /**
     * {@return the names in the directory, without {@code .} and {@code ..}, in no order}
     *
     * @param most the maximum number of names; further ones are left out
     * @throws FileException with the errno of the call that failed
     */
    public List<String> names(int most) throws FileException {
        int r = Fcntl.openat(fd, ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0);
        FileCalls.check(r, "open", path);
        try (Fd listed = Fd.adopt(r)) {
            return SysDirent.names(listed, most);
        } catch (ErrnoException e) {
            throw FileCalls.failed(path, e);
        }
    }

    private static void requireName(String name) {
        if (name.isEmpty()
                || name.indexOf('/') >= 0
                || name.indexOf('\0') >= 0
                || name.equals(".")
                || name.equals("..")) {
            throw new IllegalArgumentException("no name of a file: \"" + name + "\"");
        }
    }

    String shown(String name) {
        return path.endsWith("/") ? path + name : path + "/" + name;
    }

    // ---- the directory itself

    /**
     * {@return the same directory by a duplicated descriptor, with its own owner}
     *
     * @throws FileException EMFILE
     */
    public Directory duplicate() throws FileException {
        try {
            return new Directory(path, fd.duplicate(), stable);
        } catch (ErrnoException e) {
            throw FileCalls.failed(path, e);
        }
    }

    /** {@return the path by which it was opened, for messages} */
    public String path() {
        return path;
    }

    /** {@return the descriptor ({@code O_PATH}), lent} */
    public Fd fd() {
        return fd;
    }

    /**
     * Returns the current status of the directory.
     *
     * @throws FileException with the errno of the call that failed
     */
    public FileStatus stat() throws FileException {
        try {
            return SysStat.stat(fd);
        } catch (ErrnoException e) {
            throw FileCalls.failed(path, e);
        }
    }

    /**
     * {@return whether only root and the user of this process can make its path mean another
     * directory: if so, a call by path acts on this directory, too}
     */
    public boolean isStable() {
        return stable;
    }

    /**
     * Sets its permissions.
     *
     * @param mode 0 to 07777, whatever the umask
     * @throws FileException with the errno of the call that failed
     */
    public void chmod(int mode) throws FileException {
        FileCalls.check(SysStat.chmod(fd, mode), "chmod", path);
    }

    /**
     * Sets its owner and group.
     *
     * @param uid the new owner; -1 keeps the old one
     * @param gid the new group; -1 keeps the old one
     * @throws FileException with the errno of the call that failed
     */
    public void chown(long uid, long gid) throws FileException {
        FileCalls.check(SysStat.chown(fd, uid, gid), "chown", path);
    }

    @Override
    public void close() {
        fd.close();
    }

    @Override
    public String toString() {
        return path;
    }
}
