package io.holdfast.dbus;

import io.holdfast.core.Registration;
import io.holdfast.dbus.address.BusAddress;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A connection to a bus that is opened again whenever it is lost. Safe for use by any thread. */
final class KeptConnection implements Registration {
    private static final Logger LOG = System.getLogger(KeptConnection.class.getName());
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private final List<BusAddress> addresses;
    private final ConnectionOptions options;
    private final BusConnection.Setup setup;
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final Thread thread;

    KeptConnection(
            List<BusAddress> addresses, ConnectionOptions options, BusConnection.Setup setup) {
        this.addresses = List.copyOf(addresses);
        this.options = options;
        this.setup = setup;
        this.thread = Thread.ofVirtual().name("D-Bus kept connection").unstarted(this::keep);
    }

    KeptConnection started() {
        thread.start();
        return this;
    }

    private void keep() {
        Duration pause = FIRST_PAUSE;
        while (!cancelled.get()) {
            try {
                try (BusConnection connection = BusConnection.connect(addresses, options)) {
                    setup.run(connection);
                    pause = FIRST_PAUSE;
                    connection.awaitEnd();
                }
                LOG.log(Level.INFO, "connection to {0} lost: connecting again", addresses);
            } catch (Exception e) {
                if (cancelled.get()) {
                    return;
                }
                LOG.log(
                        Level.WARNING,
                        "connection to %s: %s; next attempt in %d ms"
                                .formatted(addresses, e, pause.toMillis()));
            }
            pause = paused(pause);
        }
    }

    /** Waits, and returns the next pause. */
    private static Duration paused(Duration pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            return pause; // cancelled
        }
        Duration longer = pause.multipliedBy(2);
        return longer.compareTo(LONGEST_PAUSE) < 0 ? longer : LONGEST_PAUSE;
    }

    @Override
    public boolean cancel() {
        boolean first = cancelled.compareAndSet(false, true);
        thread.interrupt();
        return first;
    }
}
