package io.holdfast.bus;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.jspecify.annotations.Nullable;

/** What the buses of this process log from now on. */
final class BusLog implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger("io.holdfast.bus");

    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final Handler handler =
            new Handler() {
                private final SimpleFormatter formatter = new SimpleFormatter();

                @Override
                public void publish(LogRecord line) {
                    boolean ignored = lines.add(formatter.formatMessage(line));
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    BusLog() {
        LOG.addHandler(handler);
    }

    /** Returns the next line; "null" if none comes. */
    String line() throws InterruptedException {
        return String.valueOf(lines.poll(30, TimeUnit.SECONDS));
    }

    /** Returns the next line that is there already, or null. */
    @Nullable String lineNow() {
        return lines.poll();
    }

    boolean isEmpty() {
        return lines.isEmpty();
    }

    @Override
    public void close() {
        LOG.removeHandler(handler);
    }
}
