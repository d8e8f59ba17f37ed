package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.EventLoop;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.systemd1.property.UnitFaces;
import io.holdfast.manager.systemd1.property.UnitProperties;
import io.holdfast.manager.unit.UnitName;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Sends signals about units and jobs to all clients that listen. The changes of a unit within a few
 * milliseconds are sent together, and always before the end of its job: a start of a service that
 * succeeds at once is one change, not one for each of its steps. Used on the manager's event loop.
 */
public final class Broadcast implements UnitListener {
    /** How long a change waits for further ones. */
    private static final Duration DELAY = Duration.ofMillis(5);

    private final ManagerView manager;
    private final List<Client> clients = new CopyOnWriteArrayList<>();
    private final Set<UnitName> changed = new LinkedHashSet<>();
    private EventLoop.@Nullable Timer timer;

    public Broadcast(ManagerView manager) {
        this.manager = manager;
    }

    public void add(Client client) {
        clients.add(client);
    }

    public void remove(Client client) {
        clients.remove(client);
    }

    /** Returns whether a client refers to a unit. */
    public boolean refers(UnitName unit) {
        return clients.stream().anyMatch(client -> client.refers(unit));
    }

    @Override
    public void unitNew(UnitName unit) {
        emit(Names.MANAGER_PATH, Names.MANAGER, "UnitNew", "so", unit.text(), path(unit));
    }

    @Override
    public void unitRemoved(UnitName unit) {
        flush(unit);
        emit(Names.MANAGER_PATH, Names.MANAGER, "UnitRemoved", "so", unit.text(), path(unit));
    }

    @Override
    public void unitChanged(UnitName unit) {
        if (!anybodyListens()) {
            return;
        }
        changed.add(unit);
        if (timer == null) {
            timer = manager.loop().after(DELAY, this::flush);
        }
    }

    @Override
    public void jobNew(UnitJob job) {
        emit(
                Names.MANAGER_PATH,
                Names.MANAGER,
                "JobNew",
                "uos",
                job.id(),
                jobPath(job),
                job.unit().text());
    }

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        flush(job.unit());
        emit(
                Names.MANAGER_PATH,
                Names.MANAGER,
                "JobRemoved",
                "uoss",
                job.id(),
                jobPath(job),
                job.unit().text(),
                result.word());
        clients.forEach(client -> client.untrack(job.id()));
    }

    /** Makes the caller that requested a job over a bus receive the signal of its end. */
    public void track(MethodCall call, UnitJob job) {
        for (Client client : clients) {
            if (client.connection().equals(call.connection())) {
                client.track(job.id(), call.sender());
            }
        }
    }

    @Override
    public void reloading(boolean begins) {
        emit(Names.MANAGER_PATH, Names.MANAGER, "Reloading", "b", begins);
    }

    /** Reports that units were enabled, disabled or masked. */
    public void unitFilesChanged() {
        emit(Names.MANAGER_PATH, Names.MANAGER, "UnitFilesChanged", "");
    }

    private static ObjectPath path(UnitName unit) {
        return new ObjectPath(Names.path(unit));
    }

    private static ObjectPath jobPath(UnitJob job) {
        return new ObjectPath(Names.jobPath(job.id()));
    }

    private boolean anybodyListens() {
        return clients.stream().anyMatch(Client::listens);
    }

    private void flush() {
        timer = null;
        List<UnitName> units = List.copyOf(changed);
        changed.clear();
        units.forEach(this::emitChanged);
    }

    private void flush(UnitName unit) {
        if (changed.remove(unit)) {
            emitChanged(unit);
        }
    }

    private void emitChanged(UnitName name) {
        manager.unit(name)
                .ifPresent(view -> {
                    UnitProperties.Subject subject =
                            new UnitProperties.Subject(view, manager, UnitProperties.Files.UNKNOWN);
                    Map<String, Variant> ofType = UnitFaces.changing(subject);
                    if (!ofType.isEmpty()) {
                        emitChanged(name, Names.ofType(name), ofType);
                    }
                    emitChanged(name, Names.UNIT, UnitProperties.changing(subject));
                });
    }

    private void emitChanged(UnitName name, String interfaceName, Map<String, Variant> values) {
        emit(
                Names.path(name),
                Names.PROPERTIES,
                "PropertiesChanged",
                "sa{sv}as",
                interfaceName,
                values,
                List.of());
    }

    private void emit(
            String path, String interfaceName, String signal, String types, Object... values) {
        for (Client client : clients) {
            if (client.listens()) {
                client.connection().offerSignal("", path, interfaceName, signal, types, values);
            }
        }
    }
}
