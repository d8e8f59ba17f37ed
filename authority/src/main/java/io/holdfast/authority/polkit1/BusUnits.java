package io.holdfast.authority.polkit1;

import static java.lang.System.Logger.Level.DEBUG;

import io.holdfast.authority.subject.UnitLookup;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.ObjectPath;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Finds units by a call of the manager on a bus, which passes the pidfd: {@code
 * org.freedesktop.systemd1.Manager.GetUnitByPIDFD}. Without a manager, or if it does not have that
 * method, finds them by the cgroup alone.
 */
final class BusUnits implements UnitLookup {
    private static final String SYSTEMD = "org.freedesktop.systemd1";
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(5);

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    private final UnitLookup byCgroup;
    private final Supplier<Optional<BusConnection>> bus;

    /**
     * Makes a lookup.
     *
     * @param byCgroup used without a manager
     */
    BusUnits(Supplier<Optional<BusConnection>> bus, UnitLookup byCgroup) {
        this.bus = bus;
        this.byCgroup = byCgroup;
    }

    @Override
    public Optional<ProcessUnit> find(PidFd process) {
        Optional<BusConnection> connection = bus.get().filter(BusConnection::isOpen);
        if (connection.isEmpty()) {
            return byCgroup.find(process);
        }
        try {
            return callManager(connection.get(), process);
        } catch (DBusException e) {
            return switch (e.name()) {
                case DBusException.SERVICE_UNKNOWN,
                        DBusException.NAME_HAS_NO_OWNER,
                        DBusException.UNKNOWN_METHOD,
                        DBusException.UNKNOWN_INTERFACE,
                        DBusException.UNKNOWN_OBJECT ->
                        byCgroup.find(process);
                default -> {
                    LOG.log(DEBUG, "no unit of {0}: {1}", process, e.getMessage());
                    yield Optional.empty();
                }
            };
        } catch (ConnectionLostException e) {
            return byCgroup.find(process);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    private static Optional<ProcessUnit> callManager(BusConnection bus, PidFd process)
            throws InterruptedException {
        RemoteObject manager =
                bus.object(SYSTEMD, "/org/freedesktop/systemd1")
                        .withoutStart()
                        .withTimeout(CALL_TIMEOUT);
        List<Object> reply =
                manager.call(SYSTEMD + ".Manager", "GetUnitByPIDFD", "h", process.fd());
        if (reply.size() < 2
                || !(reply.get(0) instanceof ObjectPath path)
                || !(reply.get(1) instanceof String name)
                || name.isEmpty()) {
            throw new DBusException(
                    DBusException.INCONSISTENT_MESSAGE, "GetUnitByPIDFD answered " + reply);
        }
        if (!name.endsWith(".service")) {
            return Optional.of(new ProcessUnit(name, false));
        }
        return noNewPrivileges(bus, path).map(value -> new ProcessUnit(name, value));
    }

    /** Empty if it cannot be read: then rules must not see the service, as in polkit. */
    private static Optional<Boolean> noNewPrivileges(BusConnection bus, ObjectPath service)
            throws InterruptedException {
        try {
            return bus.object(SYSTEMD, service.toString())
                                    .withoutStart()
                                    .withTimeout(CALL_TIMEOUT)
                                    .get(SYSTEMD + ".Service", "NoNewPrivileges")
                            instanceof Boolean value
                    ? Optional.of(value)
                    : Optional.empty();
        } catch (DBusException e) {
            LOG.log(DEBUG, "no NoNewPrivileges of {0}: {1}", service, e.getMessage());
            return Optional.empty();
        }
    }
}
