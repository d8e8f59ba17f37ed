package io.holdfast.core.file;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.SysStat.Stat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayDeque;
import java.util.Deque;
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

    /** Decides where a walk may go. What it throws ends the walk. */
    interface Judge {
        /**
         * Looks at a directory that the walk is about to enter, at where it starts, and at what it
         * ends at.
         *
         * @param place the path to it without symbolic links
         * @param last whether the walk ends there
         */
        default void judge(String place, Stat stat, boolean last) throws FileException {}

        /**
         * Looks at a symbolic link that the walk is about to follow.
         *
         * @param place the path to it
         * @param directory that it is in
         * @param last whether the walk ends at what it leads to
         */
        void judgeLink(String place, Stat directory, Stat link, boolean last) throws FileException;

        /** Looks at what is to be opened, or at the directory in which something is to be made. */
        default void judgeTarget(Stat stat) throws FileException {}
    }

    private final String shown;
    private final Judge judge;
    private final boolean beneath;
    private final boolean fromRoot;
    private final String before; // of the shown path: what leads to the start
    private final Owners owners = Owners.ofThisThread();
    private final Deque<String> names = new ArrayDeque<>();
    private boolean making;
    private int madeAbove; // permissions of directories that are made on the way
    private int madeLast; // and of the last
    private int followed;
    private boolean stable;
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
        this(shown, start, beneath, stable, path, new GuardedLinks(shown, links));
    }

    /** The same with other rules. */
    PathWalk(
            String shown,
            @Nullable Fd start,
            boolean beneath,
            boolean stable,
            String path,
            Judge judge)
            throws FileException {
        this.shown = shown;
        this.judge = judge;
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
        fromRoot = path.startsWith("/");
        before = shown.endsWith(path) ? shown.substring(0, shown.length() - path.length()) : "";
        directory = fromRoot ? openRoot() : start == null ? opened(".") : copy(start);
        try {
            directoryStat = stat(directory);
            judge.judge(place(), directoryStat, names.isEmpty());
        } catch (FileException | RuntimeException e) {
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
        return making(mode, mode);
    }

    /**
     * The same.
     *
     * @param above permissions of those that are made on the way
     * @param last permissions of the last
     */
    PathWalk making(int above, int last) {
        making = true;
        madeAbove = above;
        madeLast = last;
        return this;
    }

    /** Where the walk is, for the messages of a judge. */
    private String place() {
        return fromRoot ? realPath() : before + realPath().substring(1);
    }

    /** Walks to the end, which must be a directory. */
    PathWalk toDirectory() throws FileException {
        while (!names.isEmpty()) {
            step(names.removeFirst(), true);
        }
        judge.judgeTarget(directoryStat);
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
        if (r == -Errno.ENOENT && enter && making) {
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
                return;
            }
            judge.judge(place(), stat, names.isEmpty());
            if (enter && kind != FileKind.DIRECTORY) {
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
        judge.judgeTarget(directoryStat);
        int r = SysStat.mkdirat(directory, name, FRESH_MODE);
        boolean made = r == 0;
        if (r != -Errno.EEXIST) {
            FileException.check(r, "mkdir", shown);
        }
        Fd next = adopt(Fcntl.openat(directory, name, ENTER, 0));
        try {
            if (made) {
                int mode = names.isEmpty() ? madeLast : madeAbove;
                FileException.check(SysStat.chmod(next, mode), "chmod", shown);
            }
            Stat stat = stat(next);
            judge.judge(place(), stat, names.isEmpty());
            enter(next.move(), owners.isStable(directoryStat, stat));
            real.addLast(name);
        } finally {
            next.close();
        }
    }

    private void follow(String name, Fd link, Stat stat) throws FileException {
        judge.judgeLink(place(), directoryStat, stat, names.isEmpty());
        if (++followed > MOST_LINKS) {
            throw FileException.refusal(
                    shown,
                    "leads through more than " + MOST_LINKS + " symbolic links",
                    Errno.ELOOP,
                    "remove the loop");
        }
        stable &= owners.isStable(directoryStat, stat);
        String target = readLink(link);
        if (target.startsWith("/") && beneath) {
            throw FileException.refusal(
                    shown,
                    "leads out of the directory by the symbolic link \"" + name + "\"",
                    Errno.EXDEV,
                    null);
        }
        push(target);
        if (target.startsWith("/")) {
            enter(openRoot(), true);
            real.clear();
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

    /** Refuses what the path must not lead to. */
    void requireTarget(Stat stat) throws FileException {
        judge.judgeTarget(stat);
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
