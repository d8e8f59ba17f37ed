package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/**
 * Restarts services that the death of the bus has cut off. They were active when the bus was lost,
 * still run, and do not own their {@code BusName=} on the new bus: some programs never reconnect.
 * If the bus activates such a unit, a start does nothing because the unit is active, and the caller
 * would wait until the bus gives up. So the unit is restarted if it does not return to the bus
 * within a while.
 */
final class CutOffServices {
    /** Programs that do reconnect have done so by then. */
    private static final Duration RECONNECT_TIMEOUT = Duration.ofSeconds(2);

    private final ManagerView manager;
    private final Supplier<Optional<BusConnection>> bus;
    private volatile DualTimestamp lost = DualTimestamp.NEVER;

    CutOffServices(ManagerView manager, Supplier<Optional<BusConnection>> bus) {
        this.manager = manager;
        this.bus = bus;
        if (manager.isAfterCrash()) {
            lost = DualTimestamp.now(); // the bus may have died meanwhile
        }
    }

    /** Handles the loss of the bus, with all connections to it. */
    void busLost() {
        lost = DualTimestamp.now();
    }

    /**
     * Checks a unit that the bus wants to be started. Called on the loop.
     *
     * @param restart called on the loop, later, if the unit has to be restarted
     */
    void activationRequested(UnitName name, Runnable restart) {
        Optional<UnitView> suspect = suspect(name);
        if (suspect.isPresent()) {
            long since = activeEnter(suspect.get());
            var _ = manager.loop().after(RECONNECT_TIMEOUT, () -> look(name, since, restart));
        }
    }

    private static long activeEnter(UnitView view) {
        return view.times().activeEnter().monotonic();
    }

    /**
     * Returns the unit if it may have been cut off, as far as is known without a call to the bus.
     */
    private Optional<UnitView> suspect(UnitName name) {
        return manager.unit(name)
                .filter(view -> view.status().activeState() == ActiveState.ACTIVE)
                .filter(view -> view.job().isEmpty() && busName(view).isPresent())
                .filter(view -> activeEnter(view) < lost.monotonic());
    }

    private static Optional<String> busName(UnitView view) {
        return view.inForce().ownedName();
    }

    private void look(UnitName name, long since, Runnable restart) {
        Optional<String> busName = suspect(name).flatMap(CutOffServices::busName);
        Optional<BusConnection> connection = bus.get();
        if (busName.isPresent() && connection.isPresent()) {
            Thread _ =
                    Thread.ofVirtual()
                            .name("owner of " + busName.get())
                            .start(() ->
                                    checkOwner(
                                            connection.get(), busName.get(), name, since, restart));
        }
    }

    private void checkOwner(
            BusConnection connection, String busName, UnitName name, long since, Runnable restart) {
        try {
            if (connection.owner(busName).isEmpty()) {
                manager.loop().post(() -> restart(busName, name, since, restart));
            }
        } catch (DBusException | ConnectionLostException | RejectedExecutionException e) {
            // a new bus requests it again
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void restart(String busName, UnitName name, long since, Runnable restart) {
        if (suspect(name).filter(view -> activeEnter(view) == since).isPresent()) {
            manager.warn(
                    "%s: restarting it: it did not reconnect to the restarted bus, and %s is called"
                            .formatted(name, busName));
            restart.run();
        }
    }
}
