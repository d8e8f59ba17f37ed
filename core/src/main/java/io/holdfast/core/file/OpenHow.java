package io.holdfast.core.file;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import java.util.EnumSet;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The way to open a file, and the requirements that the file must meet.
 *
 * <pre>{@code
 * OpenHow environment = OpenHow.reading();                        // a regular file
 * OpenHow log = OpenHow.writing().append().creating(0640)
 *         .kinds(FileKind.REGULAR, FileKind.FIFO).blocking();
 * }</pre>
 *
 * <p>Symbolic links are {@linkplain Links#GUARDED guarded} by default. That allows the usual links
 * ({@code /var/run}, {@code /etc/alternatives}, a release directory of the service's user with a
 * link {@code current} in it), and guarantees that a path through a user's directories gives that
 * user no access to files that the user could not open directly. The same holds for hard links: a
 * file with several names, in a directory that others may write, must belong to the owner of that
 * directory, or it may be root's file under another name. Immutable.
 *
 * @param access {@code O_RDONLY}, {@code O_WRONLY} or {@code O_RDWR}, with {@code O_APPEND} and
 *     {@code O_TRUNC}
 * @param kinds the allowed kinds of file; any other is refused before it is opened
 * @param createMode the permissions of a new file, whatever the umask; empty if the file must exist
 * @param links which symbolic links are followed
 * @param isBlocking whether reads and writes of the descriptor wait; opening it never does
 * @param mayBeNull whether {@code /dev/null} is allowed, whatever the kinds
 */
@CheckReturnValue
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
            throw new IllegalArgumentException(SysStat.notPermissions(createMode.getAsInt()));
        }
    }

    private static OpenHow of(int access) {
        return new OpenHow(
                access, Set.of(FileKind.REGULAR), OptionalInt.empty(), Links.GUARDED, false, false);
    }

    /**
     * Opens an existing regular file for reading.
     *
     * @return the way to open it
     */
    public static OpenHow reading() {
        return of(Fcntl.O_RDONLY);
    }

    /**
     * Opens an existing regular file for writing from its start.
     *
     * @return the way to open it
     */
    public static OpenHow writing() {
        return of(Fcntl.O_WRONLY);
    }

    /**
     * Opens an existing regular file for reading and writing.
     *
     * @return the way to open it
     */
    public static OpenHow readingAndWriting() {
        return of(Fcntl.O_RDWR);
    }

    /**
     * Sets the allowed kinds of file, instead of a regular file.
     *
     * @param first one kind
     * @param more further kinds
     * @return the changed way to open
     */
    public OpenHow kinds(FileKind first, FileKind... more) {
        return new OpenHow(
                access, EnumSet.of(first, more), createMode, links, isBlocking, mayBeNull);
    }

    /**
     * Allows {@code /dev/null} in addition, by which a file is masked.
     *
     * @return the changed way to open
     */
    public OpenHow orNull() {
        return new OpenHow(access, kinds, createMode, links, isBlocking, true);
    }

    /**
     * Appends: every write goes to the end of the file.
     *
     * @return the changed way to open
     */
    public OpenHow append() {
        return new OpenHow(
                access | Fcntl.O_APPEND, kinds, createMode, links, isBlocking, mayBeNull);
    }

    /**
     * Truncates a regular file to length 0.
     *
     * @return the changed way to open
     */
    public OpenHow truncate() {
        return new OpenHow(access | Fcntl.O_TRUNC, kinds, createMode, links, isBlocking, mayBeNull);
    }

    /**
     * Makes a regular file if the path is missing.
     *
     * @param mode the permissions of the new file, whatever the umask
     * @return the changed way to open
     * @throws IllegalArgumentException if the mode is not within 07777
     */
    public OpenHow creating(int mode) {
        return new OpenHow(access, kinds, OptionalInt.of(mode), links, isBlocking, mayBeNull);
    }

    /**
     * Sets which symbolic links are followed.
     *
     * @param which the links to follow
     * @return the changed way to open
     */
    public OpenHow links(Links which) {
        return new OpenHow(access, kinds, createMode, which, isBlocking, mayBeNull);
    }

    /**
     * Makes reads and writes of the descriptor wait, as a program expects of its descriptors.
     *
     * @return the changed way to open
     */
    public OpenHow blocking() {
        return new OpenHow(access, kinds, createMode, links, true, mayBeNull);
    }
}
