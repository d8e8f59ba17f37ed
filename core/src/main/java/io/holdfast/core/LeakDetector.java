package io.holdfast.core;

import io.holdfast.core.sys.Unistd;
import io.holdfast.core.wait.Faults;
import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;

/** Finds descriptors that became garbage without a close: closes, counts and reports them. */
final class LeakDetector implements Runnable {
    static final boolean ENABLED = Boolean.getBoolean("io.holdfast.leaks");

    private static final AtomicLong LEAKS = new AtomicLong();

    private static final class Lazy {
        static final Cleaner CLEANER = Cleaner.create();
    }

    private final int number;
    private final Throwable made = new Throwable("made here");
    private Cleaner.Cleanable cleanable;
    private volatile boolean owned = true;

    @SuppressWarnings("NullAway.Init") // cleanable is set by watch, before anybody sees this
    private LeakDetector(int number) {
        this.number = number;
    }

    static LeakDetector watch(Fd fd, int number) {
        LeakDetector detector = new LeakDetector(number);
        detector.cleanable = Lazy.CLEANER.register(fd, detector);
        return detector;
    }

    /** How many descriptors have leaked so far. */
    static long leaks() {
        return LEAKS.get();
    }

    /** The owner has closed or moved it. */
    void forget() {
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
