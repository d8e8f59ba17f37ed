package org.example;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;

/**
 * A clock as a service on the session bus, and a client of it: {@code java -jar dbus-clock.jar}, in
 * a session or below dbus-run-session(1).
 */
public final class Clock {
    private static final String NAME = "org.example.Clock";
    private static final String PATH = "/org/example/Clock";

    private volatile ZoneId zone = ZoneId.of("UTC");

    private Clock() {}

    static void main(String[] arguments) throws InterruptedException {
        Clock clock = new Clock();
        try (BusConnection service = BusConnection.session();
                ExportedObject object = service.export(PATH, clock.asInterface());
                BusConnection client = BusConnection.session()) {
            service.requestName(NAME);
            ask(client, object);
        }
    }

    private BusInterface asInterface() {
        return BusInterface.named(NAME)
                .method("At", "x", "s", this::at, "seconds", "text")
                .property("Zone", "s", () -> zone.getId(), value -> setZone((String) value))
                .signal("Tick", "x", "seconds")
                .build();
    }

    /**
     * The caller is known by more than a name: by its process, and by the user who connected.
     */
    private List<Object> at(MethodCall call) throws InterruptedException {
        try (Peer caller = call.peer()) {
            System.out.println("asked by a process of ours: " + isOurs(caller));
        }
        return List.of(Instant.ofEpochSecond(call.argument(0, Long.class)).atZone(zone).toString());
    }

    private static boolean isOurs(Peer caller) {
        return caller.pid() == ProcessHandle.current().pid();
    }

    private void setZone(String id) {
        try {
            zone = ZoneId.of(id);
        } catch (DateTimeException e) {
            throw new DBusException(DBusException.INVALID_ARGS, "no such zone: " + id);
        }
    }

    private static void ask(BusConnection client, ExportedObject object)
            throws InterruptedException {
        RemoteObject clock = client.object(NAME, PATH);
        System.out.println(clock.call(NAME, "At", "x", 0L).getFirst());
        clock.set(NAME, "Zone", Variant.of("Asia/Tokyo"));
        System.out.println(clock.get(NAME, "Zone"));
        System.out.println(clock.call(NAME, "At", "x", 0L).getFirst());
        try {
            clock.set(NAME, "Zone", Variant.of("Nowhere"));
        } catch (DBusException e) {
            System.out.println(e.text());
        }
        try (Subscription ticks = client.subscribe("interface='" + NAME + "',member='Tick'")) {
            object.emit(NAME, "Tick", 1L);
            try (Message tick = ticks.take()) {
                System.out.println("tick " + tick.values());
            }
        }
    }
}
