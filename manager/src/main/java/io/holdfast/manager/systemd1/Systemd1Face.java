package io.holdfast.manager.systemd1;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.limit.FairShare;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.access.Guard;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.systemd1.caller.Broadcast;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.systemd1.caller.Operations;
import io.holdfast.manager.systemd1.caller.ProcessQuestions;
import io.holdfast.manager.systemd1.caller.References;
import io.holdfast.manager.systemd1.format.Names;
import java.util.function.ObjLongConsumer;

/** The part of the D-Bus interface that all its connections share. */
final class Systemd1Face {
    private final ManagerView manager;
    private final Broadcast broadcast;
    private final Operations operations;
    private final UnitFileList unitFiles;
    private final DumpMethods dumps;
    private final ObjLongConsumer<String> refusals;

    /**
     * The units that clients hold: at most half of all units, so that root can still start some.
     */
    private final FairShare<Long> held =
            FairShare.<Long>of(
                            "units that clients of the bus hold",
                            ManagerLimits.UNITS.value(),
                            ManagerLimits.UNITS.remedy())
                    .withTrusted(Permission::isOwner);

    private final Registration listening;
    private final Registration holding;

    Systemd1Face(ManagerView manager, Permission permission) {
        this.manager = manager;
        this.broadcast = new Broadcast(manager);
        this.operations = new Operations(manager, new Guard(permission), broadcast);
        this.unitFiles = new UnitFileList(manager);
        this.dumps = new DumpMethods(manager, operations);
        this.refusals = manager.refusals();
        this.listening = manager.listen(broadcast);
        this.holding = manager.hold(broadcast::refers);
    }

    ManagerView manager() {
        return manager;
    }

    /** Serves all objects on a connection, and sends signals to its other side when it is ready. */
    Client show(BusConnection connection, boolean isBus) {
        EventLoop loop = manager.loop();
        Client client = new Client(connection, isBus, this::confirm);
        References references = new References(client, manager, operations, held, refusals);
        TransientUnits transients = new TransientUnits(manager, operations, broadcast, references);
        ManagerObject object =
                new ManagerObject(
                        manager,
                        client,
                        operations,
                        broadcast,
                        references,
                        unitFiles,
                        dumps,
                        transients);
        var _ =
                connection.export(
                        Names.MANAGER_PATH,
                        loop,
                        object.describe(),
                        new ProcessQuestions(manager).describe());
        var _ =
                connection.export(
                        Names.LOG_CONTROL_PATH, loop, LogControl.describe(manager, !isBus));
        var _ =
                connection.exportTree(
                        Names.UNITS_PATH,
                        loop,
                        new UnitObjects(client, manager, operations, references, transients));
        var _ = connection.exportTree(Names.JOBS_PATH, loop, new JobObjects(manager, operations));
        broadcast.add(client);
        return client;
    }

    /** Drops the references of a caller that has already disconnected. */
    private void confirm(Client client, String caller) {
        var _ =
                Thread.ofVirtual()
                        .name("check of a D-Bus caller")
                        .start(() -> {
                            try {
                                if (client.connection().owner(caller).isEmpty()) {
                                    manager.loop().postEnding(() -> left(client, caller));
                                }
                            } catch (InterruptedException
                                    | DBusException
                                    | ConnectionLostException e) {
                                // the connection ends, and all references with it
                            }
                        });
    }

    /** Handles that a caller has left the bus. Called on the loop. */
    void left(Client client, String caller) {
        manager.letGo(client.left(caller));
    }

    /** Handles the loss of a connection. */
    void hide(Client client) {
        broadcast.remove(client);
        manager.loop().postEnding(() -> manager.letGo(client.close()));
    }

    void close() {
        listening.cancel();
        holding.cancel();
    }
}
