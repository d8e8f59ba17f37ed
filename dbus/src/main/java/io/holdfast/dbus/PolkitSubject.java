package io.holdfast.dbus;

import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.Map;

/**
 * The subject of a polkit authorization check, as its D-Bus struct {@code (sa{sv})}. A descriptor
 * stands in place of its handle, and is lent until the message is sent.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/polkit/docs/latest/eggdbus-interface-org.freedesktop.PolicyKit1.Authority.html#eggdbus-struct-Subject">
 *     Subject</a>
 */
public final class PolkitSubject {
    private static final String PROCESS = "unix-process";

    private PolkitSubject() {}

    /**
     * {@return a process by its pidfd alone: for polkit 124 and later, over connections that pass
     * descriptors}
     *
     * @param process the process
     * @param uid the user for whom the process acts; only the low 32 bits are used
     */
    public static Struct held(PidFd process, long uid) {
        return Struct.of(PROCESS, Map.of("pidfd", pidfd(process), "uid", uid(uid)));
    }

    /**
     * {@return a process by its PID and start time, which is all that older authorities support,
     * and all that can be sent over a connection that passes no descriptors}
     *
     * @param pid the PID of the process
     * @param startTicks the start time in clock ticks since the boot; 0 if it is not known
     * @param uid the user for whom the process acts
     */
    public static Struct numbered(int pid, long startTicks, long uid) {
        return Struct.of(
                PROCESS,
                Map.of(
                        "pid",
                        Variant.of("u", pid),
                        "start-time",
                        Variant.of("t", startTicks),
                        "uid",
                        uid(uid)));
    }

    /**
     * {@return a process by pidfd, PID and start time: an authority uses the best that it supports}
     *
     * @param process the process
     * @param uid the user for whom the process acts
     * @throws io.holdfast.core.ErrnoException ESRCH if the process has gone
     */
    public static Struct heldAndNumbered(PidFd process, long uid) {
        return Struct.of(
                PROCESS,
                Map.of(
                        "pidfd",
                        pidfd(process),
                        "pid",
                        Variant.of("u", process.pid()),
                        "start-time",
                        Variant.of("t", process.proc().startTicks()),
                        "uid",
                        uid(uid)));
    }

    /**
     * {@return a login session}
     *
     * @param id the session id of logind
     */
    public static Struct session(String id) {
        return Struct.of("unix-session", Map.of("session-id", Variant.of(id)));
    }

    private static Variant pidfd(PidFd process) {
        return Variant.of("h", process.fd());
    }

    private static Variant uid(long uid) {
        return Variant.of((int) uid);
    }
}
