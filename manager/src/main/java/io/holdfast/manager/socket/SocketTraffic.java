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
 * Looks for traffic on the sockets of a unit. When it finds some more often than it may look
 * ({@code PollLimit…=}) it pauses until it may again. On the loop.
 */
final class SocketTraffic {
    private final EventLoop loop;
    private final Consumer<ListeningSocket> found;
    private final List<EventLoop.Watch> watches = new ArrayList<>();
    private List<ListeningSocket> watched = List.of();
    private StartLimit limit;
    private EventLoop.@Nullable Timer pause;

    /**
     * @param found told of each socket that has traffic, again and again while it has
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
     * Begins to look; nothing if it does already.
     *
     * @throws ErrnoException if one cannot be watched
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
            return; // another one of this turn has ended the watch
        }
        if (limit.tryStart(System.nanoTime())) {
            found.accept(socket);
        } else {
            pause(limit.hitFor(System.nanoTime()).orElse(Duration.ZERO));
        }
    }

    /** Looks away for a while. */
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

    /** Looks no longer. */
    void ignore() {
        watches.forEach(EventLoop.Watch::close);
        watches.clear();
        if (pause != null) {
            pause.cancel();
            pause = null;
        }
    }
}
