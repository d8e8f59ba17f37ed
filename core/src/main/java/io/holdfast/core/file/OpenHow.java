package io.holdfast.core.file;

import io.holdfast.core.sys.Fcntl;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How a file is to be opened, and what it must be.
 *
 * <pre>{@code
 * OpenHow environment = OpenHow.reading();                        // a regular file
 * OpenHow log = OpenHow.writing().append().creating(0640)
 *         .kinds(FileKind.REGULAR, FileKind.FIFO).blocking();
 * }</pre>
 *
 * <p>Symbolic links are {@linkplain Links#GUARDED guarded} unless said otherwise. That keeps both
 * the usual ({@code /var/run}, {@code /etc/alternatives}, a release directory of the service's user
 * with a link {@code current} in it) and the promise: a user gets no more by a path that leads
 * through his directories than he could open himself. For hard links the same holds: a file with
 * several names, found in a directory that others may write, must belong to the owner of that
 * directory, or it may be root's under another name. Immutable.
 *
 * @param access {@code O_RDONLY}, {@code O_WRONLY} or {@code O_RDWR}, with {@code O_APPEND} and
 *     {@code O_TRUNC}
 * @param kinds what it may be; anything else is refused before it is opened
 * @param createMode the permissions of the file if it is made, whatever the umask; empty: it must
 *     be there
 * @param links which symbolic links are followed
 * @param isBlocking whether reads and writes of the descriptor wait; opening it never does
 * @param mayBeNull whether {@code /dev/null} will do, whatever it is to be
 */
public record OpenHow(
        int access,
        Set<FileKind> kinds,
        OptionalInt createMode,
        Links links,
        boolean isBlocking,
        boolean mayBeNull) {
    private static final int PERMISSIONS = 07777;

    /** Copies the kinds. */
    public OpenHow {
        kinds = Set.copyOf(kinds);
        if (createMode.isPresent() && (createMode.getAsInt() & ~PERMISSIONS) != 0) {
            throw new IllegalArgumentException(
                    "no permissions: " + Integer.toOctalString(createMode.getAsInt()));
        }
    }

    private static OpenHow of(int access) {
        return new OpenHow(
                access, Set.of(FileKind.REGULAR), OptionalInt.empty(), Links.GUARDED, false, false);
    }

    /**
     * A regular file that is there, to be read.
     *
     * @return the way to open it
     */
    public static OpenHow reading() {
        return of(Fcntl.O_RDONLY);
    }

    /**
     * A regular file that is there, to be written from its start.
     *
     * @return the way to open it
     */
    public static OpenHow writing() {
        return of(Fcntl.O_WRONLY);
    }

    /**
     * A regular file that is there, for both.
     *
     * @return the way to open it
     */
    public static OpenHow readingAndWriting() {
        return of(Fcntl.O_RDWR);
    }

    /**
     * What it may be, instead of a regular file.
     *
     * @param first one kind
     * @param more other kinds
     * @return the changed way to open
     */
    public OpenHow kinds(FileKind first, FileKind... more) {
        return new OpenHow(
                access, EnumSet.of(first, more), createMode, links, isBlocking, mayBeNull);
    }

    /**
     * What it may be, or {@code /dev/null}, by which a file is masked.
     *
     * @return the changed way to open
     */
    public OpenHow orNull() {
        return new OpenHow(access, kinds, createMode, links, isBlocking, true);
    }

    /**
     * Every write goes to its end.
     *
     * @return the changed way to open
     */
    public OpenHow append() {
        return new OpenHow(
                access | Fcntl.O_APPEND, kinds, createMode, links, isBlocking, mayBeNull);
    }

    /**
     * A regular file is emptied.
     *
     * @return the changed way to open
     */
    public OpenHow truncate() {
        return new OpenHow(access | Fcntl.O_TRUNC, kinds, createMode, links, isBlocking, mayBeNull);
    }

    /**
     * A regular file is made if nothing is there.
     *
     * @param mode its permissions, whatever the umask
     * @return the changed way to open
     * @throws IllegalArgumentException if these are no permissions
     */
    public OpenHow creating(int mode) {
        return new OpenHow(access, kinds, OptionalInt.of(mode), links, isBlocking, mayBeNull);
    }

    /**
     * Which symbolic links are followed.
     *
     * @param which which links
     * @return the changed way to open
     */
    public OpenHow links(Links which) {
        return new OpenHow(access, kinds, createMode, which, isBlocking, mayBeNull);
    }

    /**
     * Reads and writes of the descriptor wait, as a program expects that is given it.
     *
     * @return the changed way to open
     */
    public OpenHow blocking() {
        return new OpenHow(access, kinds, createMode, links, true, mayBeNull);
    }

    /** The flags of {@code open(2)}; close-on-exec is added there. */
    int flags() {
        return access | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY;
    }
}
