package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.sys.SysStat;
import java.util.Optional;

/**
 * A name in a directory that is held open, together with the file that the name meant when the
 * entry was made. Its methods change or remove that same file, or nothing. The file is recognized
 * by its inode number, which is valid while the file has a name or is open; so the creator keeps
 * the file open for as long as it uses the entry. Owns the directory; safe for use by any thread.
 */
public final class DirectoryEntry implements AutoCloseable {
    private final Directory directory;
    private final String name;
    private final FileStatus file;

    /**
     * Makes the entry, which takes the directory over.
     *
     * @param directory the directory; the entry takes it over
     * @param name the name of the file in it
     * @param file the status of the file that the name means
     */
    public DirectoryEntry(Directory directory, String name, FileStatus file) {
        this.directory = directory;
        this.name = name;
        this.file = file;
    }

    /** {@return the path of the file: that by which the directory was opened, and the name} */
    public String path() {
        return directory.shown(name);
    }

    /** {@return whether the name still means that file} Opens no descriptor. */
    public boolean isSame() {
        try {
            Optional<FileStatus> now = directory.stat(name);
            return now.isPresent() && now.get().isSameFile(file);
        } catch (FileException e) {
            return false;
        }
    }

    /**
     * Sets owner and permissions of the file.
     *
     * @param uid the new owner; -1 keeps the old one
     * @param gid the new group; -1 keeps the old one
     * @param mode 0 to 0777, whatever the umask
     * @throws FileException ESTALE if the name means another file now; EPERM
     */
    public void setOwnerAndMode(long uid, long gid, int mode) throws FileException {
        try (Fd held = directory.hold(name)) {
            FileStatus now = SysStat.stat(held);
            if (!now.isSameFile(file)) {
                throw FileException.refusal(
                        path(), "was replaced by another file", Errno.ESTALE, null);
            }
            if ((uid >= 0 && uid != now.uid()) || (gid >= 0 && gid != now.gid())) {
                FileCalls.check(SysStat.chown(held, uid, gid), "chown", path());
            }
            if (now.permissions() != mode) {
                FileCalls.check(SysStat.chmod(held, mode), "chmod", path());
            }
        }
    }

    /**
     * Removes the name if it still means that file. Opens no descriptor.
     *
     * @return whether it was removed
     * @throws FileException with the errno of the call that failed
     */
    public boolean removeIfSame() throws FileException {
        return isSame() && directory.remove(name);
    }

    @Override
    public void close() {
        directory.close();
    }
}
