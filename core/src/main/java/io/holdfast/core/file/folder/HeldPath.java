package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.Links;

/**
 * The file that an absolute path leads to, held by a descriptor that can neither read nor write it
 * ({@code O_PATH}): for mounting it elsewhere, or for checks. Symbolic links are {@linkplain
 * Links#GUARDED guarded}. Owns its descriptor.
 */
public final class HeldPath implements AutoCloseable {
    private final String path;
    private final Fd fd;
    private final FileStatus stat;

    private HeldPath(String path, Fd fd, FileStatus stat) {
        this.path = path;
        this.fd = fd;
        this.stat = stat;
    }

    /**
     * Holds the file that a path leads to.
     *
     * @return the path, owned by the caller
     * @throws FileException if it is missing, refused, or not absolute
     */
    public static HeldPath open(String path) throws FileException {
        if (!path.startsWith("/")) {
            throw FileException.refusal(path, "is not absolute", Errno.EINVAL, null);
        }
        try (PathWalk walk = new PathWalk(path, null, false, true, path, Links.GUARDED).toFile()) {
            FileStatus stat = walk.entryStat();
            if (stat == null && !walk.lastName().equals(".")) {
                throw FileException.of(path, "open", Errno.ENOENT);
            }
            FileStatus found = stat == null ? walk.directoryStat() : stat;
            walk.requireTarget(found);
            walk.requireNoHardLink(found);
            String real = walk.realPath();
            return new HeldPath(real, walk.takeEntry(), found);
        }
    }

    /** {@return the path of the file without symbolic links} */
    public String path() {
        return path;
    }

    /** {@return the kind of the file} */
    public FileKind kind() {
        return FileKind.of(stat);
    }

    /** {@return the descriptor, lent} */
    public Fd fd() {
        return fd;
    }

    @Override
    public void close() {
        fd.close();
    }
}
