package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.manager.runtime.TransientResources;
import io.holdfast.manager.runtime.TransientResources.Named;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.property.UnitDescription;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.StandardDescriptor;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The processes and descriptors that a call brings for one transient unit: duplicates, charged to
 * the caller until the reply, and owned until they are handed over.
 */
public final class CallerResources implements AutoCloseable {
    private final AdoptedProcesses processes;
    private final List<Named> descriptors = new ArrayList<>();
    private final Map<StandardDescriptor, Fd> streams = new EnumMap<>(StandardDescriptor.class);

    private CallerResources(AdoptedProcesses processes) {
        this.processes = processes;
    }

    /**
     * Takes them from a call. Called on the reader thread.
     *
     * @throws DBusException if a descriptor is missing or not of its kind, the caller holds too
     *     many, or a scope gets no process
     */
    public static CallerResources of(MethodCall call, UnitName name, UnitDescription unit) {
        call.opens(unit.streams().size() + unit.descriptors().size());
        CallerResources resources =
                new CallerResources(AdoptedProcesses.of(call, unit.pids(), unit.pidfds()));
        try {
            if (name.type().isTransient() && resources.processes.isEmpty()) {
                throw Errors.of(
                        "LoadFailed",
                        "Unit %s failed to load properly, please adjust/correct and reload service manager: No such file or directory"
                                .formatted(name));
            }
            unit.streams()
                    .forEach((which, handle) ->
                            resources.streams.put(which, call.descriptor(handle).duplicate()));
            unit.descriptors()
                    .forEach(each ->
                            resources.descriptors.add(
                                    new Named(
                                            call.descriptor(each.handle()).duplicate(),
                                            each.name())));
            return resources;
        } catch (RuntimeException e) {
            resources.close();
            throw e;
        }
    }

    /** Checks that the caller may move the processes. May wait. */
    public void check(Peer caller, AdoptedProcesses.Units units) throws InterruptedException {
        processes.check(caller, units);
    }

    /** Hands them over: the new owner closes them. */
    public TransientResources take() {
        TransientResources taken = new TransientResources(processes.take(), descriptors, streams);
        descriptors.clear();
        streams.clear();
        return taken;
    }

    /** Closes what was not handed over. */
    @Override
    public void close() {
        processes.close();
        descriptors.forEach(one -> one.fd().close());
        descriptors.clear();
        streams.values().forEach(Fd::close);
        streams.clear();
    }
}
