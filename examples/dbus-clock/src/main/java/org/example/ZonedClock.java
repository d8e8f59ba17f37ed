package org.example;

import io.holdfast.core.socket.Peer;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.typed.Export;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneId;

/** The implementation of the clock. */
final class ZonedClock implements Clock {
    private volatile ZoneId zone = ZoneId.of("UTC");

    /** Shows that a method knows its caller by process and user, not only by a unique name. */
    @Override
    public String at(long seconds) {
        try (Peer caller = Export.currentCall().peer()) {
            boolean ours = caller.pid() == ProcessHandle.current().pid();
            System.out.println("asked by a process of ours: " + ours);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return Instant.ofEpochSecond(seconds).atZone(zone).toString();
    }

    @Override
    public String zone() {
        return zone.getId();
    }

    @Override
    public void zone(String id) {
        try {
            zone = ZoneId.of(id);
        } catch (DateTimeException e) {
            throw new DBusException(DBusException.INVALID_ARGS, "no such zone: " + id);
        }
    }
}
