package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import java.util.function.Predicate;

/** Resolves the symbolic links of a path for a privileged use of it, such as a mount. */
public final class RealPath {
    private RealPath() {}

    /**
     * Returns an absolute path without symbolic links. Its last names may be missing. Blocking, but
     * only on the file systems that the walk enters.
     *
     * @param end selects the paths where the walk ends: it does not look at the file there, and
     *     does not resolve the names after it
     * @throws FileException if the path is not absolute, leads through a link that neither root nor
     *     this process's user placed, or has {@code ..} where the walk has ended
     */
    public static String of(String path, Predicate<String> end) throws FileException {
        if (!path.startsWith("/")) {
            throw FileException.refusal(path, "is not absolute", Errno.EINVAL, null);
        }
        try (PathWalk walk = new PathWalk(path, null, false, true, path, new TrustedLinks(path))) {
            return walk.resolve(end);
        }
    }

    private record TrustedLinks(String shown, Owners owners) implements PathWalk.Judge {
        TrustedLinks(String shown) {
            this(shown, Owners.ofThisThread());
        }

        @Override
        public void judgeLink(String place, FileStatus directory, FileStatus link, boolean last)
                throws FileException {
            if (!owners.hasPlaced(directory, link)) {
                throw FileException.refusal(
                        shown,
                        "leads through the symbolic link \"%s\", which another user can have placed"
                                .formatted(place),
                        Errno.ELOOP,
                        "let the path lead there without it");
            }
        }
    }
}
