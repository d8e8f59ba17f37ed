package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Removes a folder and all that is in it, while somebody else may still write there: every step is
 * relative to an open folder, no symbolic link is followed, no other file system is entered, and
 * both depth and number are bounded. Blocking.
 */
final class TreeRemoval {
    /** Folders within folders. */
    static final int MAX_DEPTH = 128;

    /** Files and folders that are removed by one call. */
    static final int MAX_ENTRIES = 1_000_000;

    private static final int CHUNK = 1024; // names that are read at once
    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;

    private final String shown;
    private final long device;
    private int entries;
    private @Nullable ErrnoException failure;

    private TreeRemoval(String shown, long device) {
        this.shown = shown;
        this.device = device;
    }

    /**
     * @param shown the whole path, for messages
     * @throws ErrnoException if something is left: why the first of it is; nothing is thrown if the
     *     folder is not there
     */
    static void remove(Fd parent, String name, String shown) {
        TreeRemoval removal = new TreeRemoval(shown, SysStat.stat(parent).device());
        removal.remove(parent, name, 0);
        if (removal.failure != null) {
            throw removal.failure;
        }
    }

    /** Whether it is gone. */
    private boolean remove(Fd parent, String name, int depth) {
        if (++entries > MAX_ENTRIES) {
            return failed("unlinkat", name, Errno.E2BIG, "more than " + MAX_ENTRIES + " entries");
        }
        int r = SysStat.unlinkat(parent, name);
        if (r == -Errno.EISDIR) {
            if (depth > MAX_DEPTH) {
                return failed("openat", name, Errno.ELOOP, "more than " + MAX_DEPTH + " deep");
            }
            if (!empty(parent, name, depth)) {
                return false;
            }
            r = SysStat.rmdirat(parent, name);
        }
        return r == 0 || r == -Errno.ENOENT || failed("unlinkat", name, -r, null);
    }

    /** Whether nothing is left in a folder. */
    private boolean empty(Fd parent, String name, int depth) {
        try (Fd folder = Fcntl.open(parent, name, FOLDER, 0)) {
            if (SysStat.stat(folder).device() != device) {
                return failed("openat", name, Errno.EXDEV, "another file system is mounted there");
            }
            for (; ; ) {
                boolean gone = true;
                List<String> names = names(folder);
                for (String inner : names) {
                    gone &= remove(folder, inner, depth + 1);
                }
                if (names.isEmpty() || !gone) {
                    return gone;
                }
            }
        } catch (ErrnoException e) {
            return e.errno() == Errno.ENOENT || failed("openat", name, e.errno(), null);
        } catch (IOException e) {
            return failed("getdents", name, Errno.EIO, e.getMessage());
        }
    }

    /** Some of the names in a folder; none only if it is empty. */
    private static List<String> names(Fd folder) throws IOException {
        try {
            return folder.with(TreeRemoval::names);
        } catch (UncheckedIOException e) {
            throw new IOException(e.getMessage(), e);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
    }

    private static List<String> names(int folder) {
        List<String> names = new ArrayList<>();
        Path path = Path.of("/proc/self/fd/" + folder);
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(path)) {
            for (Path entry : stream) {
                names.add(entry.getFileName().toString());
                if (names.size() == CHUNK) {
                    break;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return names;
    }

    private boolean failed(String call, String name, int errno, @Nullable String advice) {
        if (failure == null) {
            failure = new ErrnoException(call, shown + ": " + name, errno, advice);
        }
        return false;
    }
}
