package io.holdfast.dbus;

import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.Map;

/**
 * Whom one asks polkit's authority about, as it is told on a bus: {@code (sa{sv})}. A descriptor
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
     * {@return a process by its descriptor alone: for authorities from polkit 124 on, over
     * connections that pass descriptors}
     *
     * @param process the process
     * @param uid whom it acts for; its 32 bits count
     */
    public static Struct held(PidFd process, long uid) {
        return Struct.of(PROCESS, Map.of("pidfd", pidfd(process), "uid", uid(uid)));
    }

    /**
     * {@return a process by its number and the time of its start, which is all that older
     * authorities know, and all that can be told where no descriptors pass}
     *
     * @param pid the number of the process
     * @param startTicks since the boot; 0 if it is not known
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
     * {@return a process by both: an authority takes what it knows best}
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
     * @param id as logind numbers it
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
