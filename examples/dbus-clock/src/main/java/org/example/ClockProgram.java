package org.example;

import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.typed.Export;
import io.holdfast.dbus.typed.Proxy;
import io.holdfast.dbus.typed.Signals;

/**
 * Exports a clock on the session bus, and calls it as a client: {@code java -jar dbus-clock.jar},
 * in a session or below dbus-run-session(1).
 */
public final class ClockProgram {
    private static final String NAME = "org.example.Clock";
    private static final String PATH = "/org/example/Clock";

    private ClockProgram() {}

    static void main(String[] arguments) throws InterruptedException {
        try (BusConnection service = BusConnection.session();
                Export exported = Export.of(service, PATH, Clock.class, new ZonedClock());
                BusConnection client = BusConnection.session()) {
            service.requestName(NAME);
            ask(client.object(NAME, PATH), exported);
        }
    }

    private static void ask(RemoteObject object, Export exported) throws InterruptedException {
        Clock clock = Proxy.of(object, Clock.class);
        System.out.println(clock.at(0));
        clock.zone("Asia/Tokyo");
        System.out.println(clock.zone());
        System.out.println(clock.at(0));
        try {
            clock.zone("Nowhere");
        } catch (DBusException e) {
            System.out.println(e.text());
        }
        try (Signals<Clock.Tick> ticks = Signals.of(object, Clock.Tick.class)) {
            exported.emit(new Clock.Tick(1));
            System.out.println("tick " + ticks.take().seconds());
        }
    }
}
