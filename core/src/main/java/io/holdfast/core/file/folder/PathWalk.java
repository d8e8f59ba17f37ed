package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.Links;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A walk along a path, name by name, each looked up in the directory that the walk holds open. At
 * the end it holds, by {@code O_PATH} descriptors, the last directory and the file of the last
 * name, if there is one. Used once.
 */
final class PathWalk implements AutoCloseable {
    /** The same limit as the kernel's (path_resolution(7)). */
    private static final int MOST_LINKS = 40;

    private static final int LOOK = Fcntl.O_PATH | Fcntl.O_NOFOLLOW;
    private static final int ENTER = LOOK | Fcntl.O_DIRECTORY;
    private static final int FRESH_MODE = 0700; // until chmod sets the wanted mode

    /** Decides which directories and links a walk may pass. An exception ends the walk. */
    interface Judge {
        /**
         * Checks the start of the walk, each directory that it is about to enter, and the file at
         * which it ends.
         *
         * @param place the path to it without symbolic links
         * @param stat the status of the file
         * @param last whether the walk ends there
         */
        default void judge(String place, FileStatus stat, boolean last) throws FileException {}

        /**
         * Checks a symbolic link that the walk is about to follow.
         *
         * @param place the path to the link without other symbolic links
         * @param directory the status of that directory
         * @param link the status of the link
         * @param last whether the link is the last name of the walk
         */
        void judgeLink(String place, FileStatus directory, FileStatus link, boolean last)
                throws FileException;

        /** Checks the file to open, or the directory in which a file is to be made. */
        default void judgeTarget(FileStatus stat) throws FileException {}
    }

    private final String shown;
    private final Judge judge;
    private final boolean beneath;
    private final boolean fromRoot;
    private final String before; // the part of the shown path that leads to the start
    private final Owners owners = Owners.ofThisThread();
    private final Deque<String> names = new ArrayDeque<>();
    private boolean making;
    private int madeAbove; // permissions of directories that are made before the last one
    private int madeLast; // permissions of the last directory, if it is made
    private int followed;
    private boolean stable;
    private Fd directory;
    private FileStatus directoryStat;
    private final Deque<String> real = new ArrayDeque<>(); // the names that lead to the directory
    private String lastName = "."; // the name that was looked up last, in the directory
    private @Nullable Fd entry; // the file of that name, by O_PATH
    private @Nullable FileStatus entryStat;

    /**
     * @param shown the path for messages
     * @param start the directory where a relative path starts, lent; null: the working directory
     * @param beneath whether the path must not lead out of the start
     * @param stable whether no other user can make the path of the start mean another directory
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

    /** Walks as above, with another check of owners. */
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
            throw FileException.refusal(shown, "is not a valid path", Errno.EINVAL, null);
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
            judge.judge(place(), directoryStat, isAtEnd());
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
            throw FileCalls.failed(shown, e);
        }
    }

    private Fd adopt(int result) throws FileException {
        FileCalls.check(result, "open", shown);
        return Fd.adopt(result);
    }

    private FileStatus stat(Fd fd) throws FileException {
        try {
            return SysStat.stat(fd);
        } catch (ErrnoException e) {
            throw FileCalls.failed(shown, e);
        }
    }

    /** Puts the names of a path before those that are left; a slash at the end becomes a dot. */
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

    /** Makes missing directories, with these permissions whatever the umask. */
    PathWalk making(int mode) {
        return making(mode, mode);
    }

    /**
     * Makes missing directories.
     *
     * @param above permissions of the directories before the last one
     * @param last permissions of the last directory
     */
    PathWalk making(int above, int last) {
        making = true;
        madeAbove = above;
        madeLast = last;
        return this;
    }

    /** Whether the walk ends at the name that was looked up last: only dots can follow it. */
    private boolean isAtEnd() {
        return names.stream().allMatch("."::equals);
    }

    /** The path that the walk has reached, for the messages of a judge. */
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

    /** Walks to the end, whatever kind of file that is; if it is missing {@link #entry} is null. */
    PathWalk toFile() throws FileException {
        while (!names.isEmpty()) {
            step(names.removeFirst(), !names.isEmpty());
        }
        return this;
    }

    /**
     * Walks until a name is missing, is no directory, or ends the walk.
     *
     * @param end selects the paths of files that are not looked at
     * @return the path of that name without symbolic links, and the names that are left
     */
    String resolve(Predicate<String> end) throws FileException {
        try {
            while (!names.isEmpty()) {
                String name = names.removeFirst();
                lastName = name;
                if (!name.equals("..") && end.test(realPath())) {
                    break;
                }
                step(name, true);
            }
        } catch (FileException e) {
            if (!e.isMissing()) {
                throw e;
            }
        }
        if (names.contains("..")) {
            throw FileException.refusal(
                    shown, "has \"..\" after a name that is not resolved", Errno.ENOENT, null);
        }
        names.removeIf("."::equals);
        return names.isEmpty() ? realPath() : realPath() + "/" + String.join("/", names);
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
            judge.judge(place(), directoryStat, isAtEnd());
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
            FileStatus stat = stat(found);
            FileKind kind = FileKind.of(stat);
            if (kind == FileKind.SYMBOLIC_LINK) {
                follow(name, found, stat);
                return;
            }
            judge.judge(place(), stat, isAtEnd());
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
            FileCalls.check(r, "mkdir", shown);
        }
        Fd next = adopt(Fcntl.openat(directory, name, ENTER, 0));
        try {
            if (made) {
                int mode = isAtEnd() ? madeLast : madeAbove;
                FileCalls.check(SysStat.chmod(next, mode), "chmod", shown);
            }
            FileStatus stat = stat(next);
            judge.judge(place(), stat, isAtEnd());
            enter(next.move(), owners.isStable(directoryStat, stat));
            real.addLast(name);
        } finally {
            next.close();
        }
    }

    private void follow(String name, Fd link, FileStatus stat) throws FileException {
        judge.judgeLink(place(), directoryStat, stat, isAtEnd());
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
            throw FileCalls.failed(shown, e);
        }
    }

    /** Throws if the judge refuses the file to open. */
    void requireTarget(FileStatus stat) throws FileException {
        judge.judgeTarget(stat);
    }

    /** Throws if the file may be a hard link that gives access to another user's file. */
    void requireNoHardLink(FileStatus stat) throws FileException {
        if (FileKind.of(stat) != FileKind.DIRECTORY && owners.mayBeHardLink(directoryStat, stat)) {
            throw FileException.refusal(
                    shown,
                    "is one of %d hard links to a file of user %d, in a directory that others may write"
                            .formatted(stat.links(), stat.uid()),
                    Errno.EMLINK,
                    "remove the other links, or let only root write the directory");
        }
    }

    /** The directory that holds {@link #lastName}, or that {@code .} means. */
    Fd directory() {
        return directory;
    }

    FileStatus directoryStat() {
        return directoryStat;
    }

    /** The last name, in the directory: {@code .} if the path means the directory itself. */
    String lastName() {
        return lastName;
    }

    /** The path that the walk has reached, without symbolic links, if it began at the root. */
    String realPath() {
        String directories = String.join("/", real);
        return lastName.equals(".")
                ? "/" + directories
                : directories.isEmpty() ? "/" + lastName : "/" + directories + "/" + lastName;
    }

    /** The file of the last name, by O_PATH; null if it is missing or the directory itself. */
    @Nullable Fd entry() {
        return entry;
    }

    @Nullable FileStatus entryStat() {
        return entryStat;
    }

    /** Whether no other user can make the path to {@link #directory} mean another directory. */
    boolean isStable() {
        return stable;
    }

    /** Hands over the file at the end of the path; the caller owns the descriptor. */
    Fd takeEntry() {
        Fd found = entry;
        return found == null ? directory.move() : found.move();
    }

    /** Hands over the directory; the caller owns the descriptor. */
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
