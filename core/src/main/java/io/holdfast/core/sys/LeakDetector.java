package io.holdfast.core.sys;

import io.holdfast.core.Fd;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Finds descriptors that became garbage without a close; closes, counts and logs them. Every {@link
 * Fd} is watched only in leak mode. The descriptor of an object that a caller may well forget, such
 * as an exited child, is closed with that object in any mode.
 */
public final class LeakDetector implements Runnable {
    public static final boolean ENABLED = Boolean.getBoolean("io.holdfast.leaks");

    private static final AtomicLong LEAKS = new AtomicLong();

    private static volatile @Nullable Cleaner cleaner; // null until it was needed

    private final int number;
    private final Throwable made = new Throwable("made here");
    private Cleaner.Cleanable cleanable;
    private volatile boolean owned = true;

    @SuppressWarnings("NullAway.Init") // watch sets cleanable before it returns this
    private LeakDetector(int number) {
        this.number = number;
    }

    /** Not in a static initializer: a failure (no thread for the cleaner) must not be permanent. */
    private static Cleaner cleaner() {
        Cleaner known = cleaner;
        return known != null ? known : makeCleaner();
    }

    private static synchronized Cleaner makeCleaner() {
        Cleaner known = cleaner;
        if (known == null) {
            known = Cleaner.create();
            cleaner = known;
        }
        return known;
    }

    public static LeakDetector watch(Fd fd, int number) {
        LeakDetector detector = new LeakDetector(number);
        detector.cleanable = cleaner().register(fd, detector);
        return detector;
    }

    /**
     * Closes a descriptor when its owner becomes garbage; does nothing if it is closed by then. The
     * descriptor must not refer to the owner, which would keep the owner reachable.
     */
    public static void closeWith(Object owner, Fd fd) {
        var _ = cleaner().register(owner, new Forgotten(fd));
    }

    private static final class Forgotten implements Runnable {
        private final Fd fd;
        private final @Nullable Throwable made = ENABLED ? new Throwable("made here") : null;

        Forgotten(Fd fd) {
            this.fd = fd;
        }

        @Override
        public void run() {
            if (made != null && fd.isOpen()) {
                LEAKS.incrementAndGet();
                Faults.log(fd + " leaked with its owner", made);
            }
            fd.close();
        }
    }

    /** Returns how many descriptors have leaked so far. */
    public static long leaks() {
        return LEAKS.get();
    }

    /** Ends the watch, since the owner has closed or moved the descriptor. */
    public void forget() {
        owned = false;
        cleanable.clean();
    }

    @Override
    public void run() {
        if (owned) {
            LEAKS.incrementAndGet();
            Faults.log("descriptor " + number + " leaked", made);
            Unistd.close(number);
        }
    }
}
