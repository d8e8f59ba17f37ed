package io.holdfast.manager.socket;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.unit.section.UnitSection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches the sockets of a unit for traffic. If there is traffic more often than the poll limit
 * allows ({@code PollLimit…=}), it pauses until the limit allows more. Used on the event loop.
 */
final class SocketTraffic {
    private final EventLoop loop;
    private final Consumer<ListeningSocket> found;
    private final List<EventLoop.Watch> watches = new ArrayList<>();
    private List<ListeningSocket> watched = List.of();
    private StartLimit limit;
    private EventLoop.@Nullable Timer pause;

    /**
     * @param found called with each socket that has traffic, repeatedly while it has
     */
    SocketTraffic(EventLoop loop, UnitSection.StartLimit limit, Consumer<ListeningSocket> found) {
        this.loop = loop;
        this.limit = new StartLimit(limit);
        this.found = found;
    }

    void limit(UnitSection.StartLimit newer) {
        limit = new StartLimit(newer);
    }

    /**
     * Begins to watch; does nothing if it already does.
     *
     * @throws ErrnoException if a socket cannot be watched
     */
    void watch(List<ListeningSocket> sockets) {
        if (!watches.isEmpty() || pause != null) {
            return;
        }
        watched = sockets;
        try {
            for (ListeningSocket socket : sockets) {
                watches.add(loop.watch(socket.fd(), Readiness.IN, _ -> ready(socket)));
            }
        } catch (ErrnoException e) {
            ignore();
            throw e;
        }
    }

    private void ready(ListeningSocket socket) {
        if (watches.isEmpty()) {
            return; // another event of this turn ended the watch
        }
        if (limit.tryStart(System.nanoTime())) {
            found.accept(socket);
        } else {
            pause(limit.hitFor(System.nanoTime()).orElse(Duration.ZERO));
        }
    }

    /** Stops watching for a while. */
    void pause(Duration length) {
        List<ListeningSocket> again = watched;
        ignore();
        pause =
                loop.after(
                        length,
                        () -> {
                            pause = null;
                            watch(again);
                        });
    }

    /** Stops watching. */
    void ignore() {
        watches.forEach(EventLoop.Watch::close);
        watches.clear();
        if (pause != null) {
            pause.cancel();
            pause = null;
        }
    }
}
