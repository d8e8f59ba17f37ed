package io.holdfast.dbus;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysSocket;
import io.holdfast.core.socket.UnixListener;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The listening sockets that a service manager passed to this process (sd_listen_fds(3)): {@code
 * LISTEN_FDS} of them from descriptor 3 on, if {@code LISTEN_PID} is our number. They can be taken
 * once.
 */
final class InheritedSockets {
    private static final int FIRST = 3;
    private static final int MOST = 1024;
    private static final AtomicBoolean TAKEN = new AtomicBoolean();

    private InheritedSockets() {}

    static List<BusListener> take(Map<String, String> environment) {
        int count = count(environment, ProcessHandle.current().pid());
        if (TAKEN.getAndSet(true)) {
            throw new BusAddressException("\"systemd:\": the sockets were taken before");
        }
        String[] names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
        List<BusListener> listeners = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = i < names.length && !names[i].isEmpty() ? " (" + names[i] + ")" : "";
            try {
                listeners.add(adopt(FIRST + i));
            } catch (ErrnoException | IllegalArgumentException | BusAddressException e) {
                BusListener.closeAll(listeners);
                throw new BusAddressException(
                        "\"systemd:\": descriptor %d%s is no listening AF_UNIX stream socket: %s"
                                .formatted(FIRST + i, name, e.getMessage()),
                        e);
            }
        }
        return List.copyOf(listeners);
    }

    /** Whether there are any for the process of that number. */
    static boolean areThere(Map<String, String> environment, long pid) {
        return Long.toString(pid).equals(environment.get("LISTEN_PID"))
                && environment.containsKey("LISTEN_FDS");
    }

    /** How many there are for the process of that number. */
    static int count(Map<String, String> environment, long pid) {
        String forPid = environment.get("LISTEN_PID");
        String count = environment.get("LISTEN_FDS");
        if (forPid == null || count == null) {
            throw new BusAddressException(
                    "\"systemd:\": LISTEN_PID or LISTEN_FDS is not set: not started by a socket?");
        }
        if (!forPid.equals(Long.toString(pid))) {
            throw new BusAddressException(
                    "\"systemd:\": the sockets are for process %s, and this is %d"
                            .formatted(forPid, pid));
        }
        if (!count.matches("[1-9][0-9]{0,3}") || Integer.parseInt(count) > MOST) {
            throw new BusAddressException(
                    "\"systemd:\": LISTEN_FDS=" + count + " is no number from 1 to " + MOST);
        }
        return Integer.parseInt(count);
    }

    private static BusListener adopt(int number) {
        try (Fd inherited = Fd.inherited(number)) {
            if (SysSocket.option(inherited, SysSocket.SO_TYPE) != SysSocket.SOCK_STREAM) {
                throw new BusAddressException("another type");
            }
            return BusListener.of(UnixListener.adopt(inherited));
        }
    }
}
