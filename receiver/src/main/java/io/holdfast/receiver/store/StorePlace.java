package io.holdfast.receiver.store;

import io.holdfast.journal.WriterOptions;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Where entries are stored, and how much.
 *
 * @param folder of the files: {@code /var/log/journal/MACHINE-ID}
 * @param splitUsers whether the entries of each user get a file of their own
 * @param mostBytes of all files; older ones are removed
 * @param keepFree bytes of the file system: while fewer are free, the files do not grow in sum
 * @param mostFiles archived files that are kept
 * @param mostAge of archived files
 * @param fileBytes the size at which a file is rotated
 * @param waitingBytes of entries that may wait for the disk
 * @param userFiles files of users that are open at once
 * @param fileAge the age at which a file is rotated
 * @param syncInterval how long entries may be in memory only
 */
public record StorePlace(
        Path folder,
        boolean splitUsers,
        long mostBytes,
        long keepFree,
        int mostFiles,
        Duration mostAge,
        long fileBytes,
        long waitingBytes,
        int userFiles,
        Duration fileAge,
        Duration syncInterval) {
    private static final long MOST = 4L << 30;
    private static final long LARGEST_FILE = 128 << 20;
    private static final int FILES = 8; // within the limit of all

    /** The least limit of all files, in bytes: a file cannot be smaller. */
    public static final long LEAST = WriterOptions.SMALLEST_FILE;

    /** Makes a place with the age and the interval of journald. */
    StorePlace(
            Path folder,
            boolean splitUsers,
            long mostBytes,
            long keepFree,
            int mostFiles,
            Duration mostAge,
            long fileBytes,
            long waitingBytes,
            int userFiles) {
        this(
                folder,
                splitUsers,
                mostBytes,
                keepFree,
                mostFiles,
                mostAge,
                fileBytes,
                waitingBytes,
                userFiles,
                WriterOptions.standard().maxAge(),
                WriterOptions.standard().syncInterval());
    }

    /** Returns the size at which files are rotated, if this size is wanted, and so many in all. */
    public static long fileBytes(long wanted, long mostBytes) {
        long most = wanted == Long.MAX_VALUE ? Math.min(mostBytes / FILES, LARGEST_FILE) : wanted;
        return Math.clamp(most, LEAST, WriterOptions.LARGEST_FILE);
    }

    /**
     * Returns the limits of journald: a tenth of the file system, at most 4 GiB, 15 % of it free,
     * and files of an eighth of that.
     *
     * @param capacity of the file system, in bytes
     */
    public static StorePlace of(
            Path folder, boolean splitUsers, long capacity, long waitingBytes, int userFiles) {
        long most = Math.clamp(capacity / 10, FILES * LEAST, MOST);
        return new StorePlace(
                folder,
                splitUsers,
                most,
                Math.min(capacity / 100 * 15, MOST),
                100,
                Duration.ofDays(3650),
                fileBytes(Long.MAX_VALUE, most),
                waitingBytes,
                userFiles);
    }
}
