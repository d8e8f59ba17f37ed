package io.holdfast.core.file;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.SysStat.Stat;
import io.holdfast.core.linux.Unistd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One walk along a path, name by name, each in the directory that is held open at that moment.
 * Afterwards it holds the last directory, and the file that the last name means, if there is one,
 * by {@code O_PATH} descriptors. Used once.
 */
final class PathWalk implements AutoCloseable {
    /** As the kernel's own bound (path_resolution(7)). */
    private static final int MOST_LINKS = 40;

    private static final int LOOK = Fcntl.O_PATH | Fcntl.O_NOFOLLOW;
    private static final int ENTER = LOOK | Fcntl.O_DIRECTORY;
    private static final int FRESH_MODE = 0700; // until it has its own

    private final String shown;
    private final Links links;
    private final boolean beneath;
    private final Owners owners = Owners.ofThisThread();
    private final Deque<String> names = new ArrayDeque<>();
    private OptionalInt makeMode = OptionalInt.empty();
    private int followed;
    private boolean stable;
    private OptionalLong stranger = OptionalLong.empty(); // who has placed a link that was followed
    private Fd directory;
    private Stat directoryStat;
    private final Deque<String> real = new ArrayDeque<>(); // the names to the directory
    private String lastName = "."; // of what the walk has come to, in the directory
    private @Nullable Fd entry; // what that name means, by O_PATH
    private @Nullable Stat entryStat;

    /**
     * @param shown the path for messages
     * @param start where a relative path starts, lent; null: at the working directory
     * @param beneath whether the path must not lead out of the start
     * @param stable whether nobody else can make the path of the start mean another directory
     */
    PathWalk(
            String shown,
            @Nullable Fd start,
            boolean beneath,
            boolean stable,
            String path,
            Links links)
            throws FileException {
        this.shown = shown;
        this.links = links;
        this.beneath = beneath;
        this.stable = stable;
        if (path.isEmpty() || path.indexOf('\0') >= 0) {
            throw FileException.refusal(shown, "is no path", Errno.EINVAL, null);
        }
        if (path.startsWith("/") && beneath) {
            throw FileException.refusal(
                    shown, "is not relative to the directory", Errno.EXDEV, null);
        }
        push(path);
        directory = path.startsWith("/") ? openRoot() : start == null ? opened(".") : copy(start);
        try {
            directoryStat = stat(directory);
        } catch (FileException e) {
            directory.close();
            throw e;
        }
    }

    private Fd openRoot() throws FileException {
        return opened("/");
    }

    private Fd opened(String path) throws FileException {
        return adopt(Fcntl.openat(null, path, Fcntl.O_PATH | Fcntl.O_DIRECTORY, 0));
    }

    private Fd copy(Fd fd) throws FileException {
        try {
            return fd.duplicate();
        } catch (ErrnoException e) {
            throw FileException.of(shown, e);
        }
    }

    private Fd adopt(int result) throws FileException {
        FileException.check(result, "open", shown);
        return Fd.adopt(result);
    }

    private Stat stat(Fd fd) throws FileException {
        try {
            return SysStat.stat(fd);
        } catch (ErrnoException e) {
            throw FileException.of(shown, e);
        }
    }

    /** The names of a path before those that are left; one that ends with a slash keeps a dot. */
    private void push(String path) {
        String[] parts = path.split("/", -1);
        for (int i = parts.length - 1; i >= 0; i--) {
            boolean last = i == parts.length - 1;
            if (!parts[i].isEmpty()) {
                names.addFirst(parts[i]);
            } else if (last) {
                names.addFirst(".");
            }
        }
    }

    /** Makes directories that are missing, with these permissions whatever the umask. */
    PathWalk making(int mode) {
        makeMode = OptionalInt.of(mode);
        return this;
    }

    /** Walks to the end, which must be a directory. */
    PathWalk toDirectory() throws FileException {
        while (!names.isEmpty()) {
            step(names.removeFirst(), true);
        }
        requireOwn(directoryStat);
        return this;
    }

    /** Walks to the end, whatever that is; where nothing is there {@link #entry} is null. */
    PathWalk toFile() throws FileException {
        while (!names.isEmpty()) {
            step(names.removeFirst(), !names.isEmpty());
        }
        return this;
    }

    private void step(String name, boolean enter) throws FileException {
        lastName = name;
        if (name.equals(".")) {
            return;
        }
        if (name.equals("..")) {
            if (beneath) {
                throw FileException.refusal(shown, "leads out of the directory", Errno.EXDEV, null);
            }
            enter(adopt(Fcntl.openat(directory, "..", ENTER, 0)), true);
            var _ = real.pollLast();
            return;
        }
        int r = Fcntl.openat(directory, name, enter ? ENTER : LOOK, 0);
        if (r == -Errno.ENOTDIR) {
            r = Fcntl.openat(directory, name, LOOK, 0);
        }
        if (r == -Errno.ENOENT && enter && makeMode.isPresent()) {
            make(name);
            return;
        }
        if (r == -Errno.ENOENT && !enter) {
            return;
        }
        look(name, adopt(r), enter);
    }

    private void look(String name, Fd found, boolean enter) throws FileException {
        boolean kept = false;
        try {
            Stat stat = stat(found);
            FileKind kind = FileKind.of(stat);
            if (kind == FileKind.SYMBOLIC_LINK) {
                follow(name, found, stat);
            } else if (enter && kind != FileKind.DIRECTORY) {
                throw FileException.of(shown, "open", Errno.ENOTDIR);
            } else if (enter) {
                kept = true;
                enter(found, owners.isStable(directoryStat, stat));
                real.addLast(name);
            } else {
                kept = true;
                entry = found;
                entryStat = stat;
            }
        } finally {
            if (!kept) {
                found.close();
            }
        }
    }

    private void enter(Fd next, boolean stableStep) throws FileException {
        directory.close();
        directory = next;
        directoryStat = stat(next);
        stable &= stableStep;
        lastName = ".";
    }

    private void make(String name) throws FileException {
        requireOwn(directoryStat);
        int r = SysStat.mkdirat(directory, name, FRESH_MODE);
        boolean made = r == 0;
        if (r != -Errno.EEXIST) {
            FileException.check(r, "mkdir", shown);
        }
        Fd next = adopt(Fcntl.openat(directory, name, ENTER, 0));
        try {
            if (made) {
                FileException.check(SysStat.chmod(next, makeMode.getAsInt()), "chmod", shown);
            }
            boolean stableStep = owners.isStable(directoryStat, stat(next));
            enter(next.move(), stableStep);
            real.addLast(name);
        } finally {
            next.close();
        }
    }

    private void follow(String name, Fd link, Stat stat) throws FileException {
        String what = "the symbolic link \"" + name + "\" of user " + stat.uid();
        if (links == Links.REFUSED) {
            throw FileException.refusal(
                    shown,
                    "leads through " + what + ", and none is followed here",
                    Errno.ELOOP,
                    "put the file or directory itself there");
        }
        if (++followed > MOST_LINKS) {
            throw FileException.refusal(
                    shown,
                    "leads through more than " + MOST_LINKS + " symbolic links",
                    Errno.ELOOP,
                    "remove the loop");
        }
        if (!owners.hasPlaced(directoryStat, stat)) {
            requireOneStranger(what, stat);
            stranger = OptionalLong.of(stat.uid());
        }
        stable &= owners.isStable(directoryStat, stat);
        String target = readLink(link);
        if (target.startsWith("/") && beneath) {
            throw FileException.refusal(
                    shown, "leads out of the directory by " + what, Errno.EXDEV, null);
        }
        push(target);
        if (target.startsWith("/")) {
            enter(openRoot(), true);
            real.clear();
        }
    }

    /** All links that were not placed by root or us must be of one user. */
    private void requireOneStranger(String what, Stat link) throws FileException {
        String why = null;
        if (owners.trusts(link.uid())) {
            why =
                    ", one of %d hard links to it, which anybody can have made"
                            .formatted(link.links());
        } else if (stranger.isPresent() && stranger.getAsLong() != link.uid()) {
            why = ", after one of user " + stranger.getAsLong();
        }
        if (why != null) {
            throw FileException.refusal(
                    shown,
                    "leads through " + what + why,
                    Errno.ELOOP,
                    "let the path lead there without that link");
        }
    }

    private String readLink(Fd link) throws FileException {
        try {
            String target = Unistd.readlinkat(link, "");
            if (target.isEmpty()) {
                throw FileException.of(shown, "readlink", Errno.ENOENT);
            }
            return target;
        } catch (ErrnoException e) {
            throw FileException.of(shown, e);
        }
    }

    /** Refuses what a link of another user leads to unless it is that user's. */
    void requireOwn(Stat stat) throws FileException {
        if (stranger.isPresent()
                && stranger.getAsLong() != stat.uid()
                && !OpenedFile.isNull(stat)) {
            throw FileException.refusal(
                    shown,
                    "is reached by a symbolic link of user "
                            + stranger.getAsLong()
                            + ", and belongs to user "
                            + stat.uid(),
                    Errno.ELOOP,
                    "let root own the link, or let the path lead there without it");
        }
    }

    /** Refuses what may be a hard link that gives away a file of somebody else. */
    void requireNoHardLink(Stat stat) throws FileException {
        if (FileKind.of(stat) != FileKind.DIRECTORY && owners.mayBeHardLink(directoryStat, stat)) {
            throw FileException.refusal(
                    shown,
                    "is one of %d hard links to a file of user %d, in a directory that others may write"
                            .formatted(stat.links(), stat.uid()),
                    Errno.EMLINK,
                    "remove the other links, or let only root write the directory");
        }
    }

    /** The directory that the last name is in; or what the path leads to, if it is a directory. */
    Fd directory() {
        return directory;
    }

    Stat directoryStat() {
        return directoryStat;
    }

    /** The last name, in the directory: {@code .} if the directory itself is meant. */
    String lastName() {
        return lastName;
    }

    /** The path to what the walk has come to, without symbolic links, if it began at the root. */
    String realPath() {
        String directories = String.join("/", real);
        return lastName.equals(".")
                ? "/" + directories
                : directories.isEmpty() ? "/" + lastName : "/" + directories + "/" + lastName;
    }

    /** What the last name means, by O_PATH; null if there is nothing. */
    @Nullable Fd entry() {
        return entry;
    }

    @Nullable Stat entryStat() {
        return entryStat;
    }

    /** Whether nobody else can make the path to {@link #directory} mean another directory. */
    boolean isStable() {
        return stable;
    }

    /** What was found, which is the caller's from now on. */
    Fd takeEntry() {
        Fd found = entry;
        return found == null ? directory.move() : found.move();
    }

    /** The directory, which is the caller's from now on. */
    Fd takeDirectory() {
        return directory.move();
    }

    @Override
    public void close() {
        directory.close();
        if (entry != null) {
            entry.close();
        }
    }
}
