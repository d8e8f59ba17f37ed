package io.holdfast.receiver.store;

import java.nio.file.Path;
import java.time.Duration;

/**
 * Where entries are stored, and how much.
 *
 * @param folder of the files: {@code /var/log/journal/MACHINE-ID}
 * @param splitUsers whether the entries of each user get a file of their own
 * @param mostBytes of all files; older ones are removed
 * @param keepFree bytes of the file system that stay free for others
 * @param mostFiles archived files that are kept
 * @param mostAge of archived files
 * @param fileBytes the size at which a file is rotated
 * @param waitingBytes of entries that may wait for the disk
 * @param userFiles files of users that are open at once
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
        int userFiles) {
    private static final long MOST = 4L << 30;
    private static final long SMALLEST = 1 << 20;
    private static final long LARGEST_FILE = 128 << 20;

    /**
     * Returns the limits of journald: a tenth of the file system, at most 4 GiB, 15 % of it free,
     * and files of an eighth of that.
     *
     * @param capacity of the file system, in bytes
     */
    public static StorePlace of(
            Path folder, boolean splitUsers, long capacity, long waitingBytes, int userFiles) {
        long most = Math.clamp(capacity / 10, 8 * SMALLEST, MOST);
        return new StorePlace(
                folder,
                splitUsers,
                most,
                Math.min(capacity / 100 * 15, MOST),
                100,
                Duration.ofDays(3650),
                Math.clamp(most / 8, SMALLEST, LARGEST_FILE),
                waitingBytes,
                userFiles);
    }
}
