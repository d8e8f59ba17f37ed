package io.holdfast.manager.socket;

import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.StartChecks;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.SocketUnit;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The blocking part of the start and the stop of a socket: workers check its conditions, and make
 * and remove its sockets. All callbacks run on the event loop.
 */
final class SocketSetup {
    private final ManagerContext context;
    private final UnitName name;
    private final Lane lane;

    SocketSetup(ManagerContext context, UnitName name) {
        this.context = context;
        this.name = name;
        this.lane = context.workers().ownLane(name.text());
    }

    /**
     * The results of the checks before a start.
     *
     * @param hasService whether the service that it starts for traffic could be loaded
     */
    record Checks(StartChecks unit, boolean hasService) {}

    Work<?> check(SocketUnit unit, BiConsumer<@Nullable Checks, @Nullable Exception> checked) {
        return lane.work("the check of its conditions", () -> check(unit))
                .within(ManagerLimits.SOCKET_TIMEOUT.duration())
                .begin(checked::accept);
    }

    private Checks check(SocketUnit unit) {
        boolean hasService =
                unit.unitsThatMustExist().stream().allMatch(context.events().activation()::isThere);
        return new Checks(StartChecks.of(unit, context), hasService);
    }

    Work<?> open(
            SocketUnit unit, BiConsumer<@Nullable ListeningSockets, @Nullable Exception> opened) {
        Consumer<String> warnings =
                text -> context.loop().postEnding(() -> context.warn(name, text));
        return lane.work("the opening of its sockets", () -> ListeningSockets.open(unit, warnings))
                .releasing(SocketSetup::remove)
                .within(ManagerLimits.SOCKET_TIMEOUT.duration())
                .begin(opened::accept);
    }

    /**
     * Discards what waits at sockets. A user may have put a descriptor there whose close takes
     * long.
     */
    void discard(ListeningSockets at, Runnable discarded) {
        Work<Boolean> _ =
                lane.work(
                                "the discarding of what waits",
                                () -> {
                                    at.all().forEach(ListeningSocket::discard);
                                    return true;
                                })
                        .within(ManagerLimits.SOCKET_TIMEOUT.duration())
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        name, "cannot discard what waits: " + failure.getMessage());
                            }
                            discarded.run();
                        });
    }

    /**
     * Closes sockets, and removes their nodes if that is configured.
     *
     * @param removed called with whether that was done in time
     */
    void remove(Optional<ListeningSockets> left, Consumer<Boolean> removed) {
        Work<Boolean> _ =
                lane.work(
                                "its clean-up",
                                () -> {
                                    left.ifPresent(SocketSetup::remove);
                                    return true;
                                })
                        .evenIfLate()
                        .within(ManagerLimits.SOCKET_TIMEOUT.duration())
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.warn(name, "cannot clean up: " + failure.getMessage());
                            }
                            removed.accept(!(failure instanceof Work.LateException));
                        });
    }

    private static void remove(ListeningSockets left) {
        try {
            left.removeIfWanted();
        } finally {
            left.close();
        }
    }
}
