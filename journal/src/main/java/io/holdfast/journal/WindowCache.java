package io.holdfast.journal;

import org.jspecify.annotations.Nullable;

/**
 * Parts of the files of one reader, read by pread(2). A mapping would be faster by little, and
 * would end the process by SIGBUS if somebody truncated a file.
 *
 * <p>Two-way associative: a part has two possible places, of which the one that was used less
 * recently is replaced. Not thread-safe.
 */
final class WindowCache {
    /** The size of a window: 64 KiB, what core reads at once. */
    static final int WINDOW = 64 << 10;

    /** A window of a file. */
    static final class Window {
        final byte[] bytes = new byte[WINDOW];
        long key = -1;
        int length;
        long used;
    }

    private final @Nullable Window[] windows;
    private final int mask;
    private long clock;
    private int files;

    WindowCache(long budget) {
        int sets = Integer.highestOneBit(Math.clamp(budget / WINDOW / 2, 1, 1 << 16));
        this.windows = new Window[2 * sets];
        this.mask = sets - 1;
    }

    /**
     * Returns a key for one state of a file. A file that has changed takes a new one, and its old
     * windows are replaced in time.
     */
    int newFile() {
        return files++;
    }

    /** Returns the window of that key if it is cached. */
    @Nullable Window find(int file, long index) {
        long key = key(file, index);
        int set = set(key);
        for (int way = set; way < set + 2; way++) {
            Window window = windows[way];
            if (window != null && window.key == key) {
                window.used = ++clock;
                return window;
            }
        }
        return null;
    }

    /** Returns a window to be filled for that key; its length is 0. */
    Window replace(int file, long index) {
        long key = key(file, index);
        int set = set(key);
        Window first = windows[set];
        Window second = windows[set + 1];
        Window chosen;
        if (first == null) {
            chosen = windows[set] = new Window();
        } else if (second == null) {
            chosen = windows[set + 1] = new Window();
        } else {
            chosen = first.used < second.used ? first : second;
        }
        chosen.key = key;
        chosen.length = 0;
        chosen.used = ++clock;
        return chosen;
    }

    private static long key(int file, long index) {
        return ((long) file << 32) | (index & 0xffffffffL); // files have less than 2^48 bytes
    }

    private int set(long key) {
        return (int) ((key ^ (key >>> 27)) & mask) << 1;
    }
}
