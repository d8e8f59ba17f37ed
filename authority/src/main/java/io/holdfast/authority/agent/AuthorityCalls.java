package io.holdfast.authority.agent;

import io.holdfast.authority.PolicyKit1;
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.List;
import java.util.Map;

/** Tells the authority that a user has authenticated. */
final class AuthorityCalls {
    private final List<BusAddress> bus;

    AuthorityCalls(List<BusAddress> bus) {
        this.bus = bus;
    }

    /**
     * Responds to a dialog: with the agent's pidfd attached (AuthenticationAgentResponse3), or by
     * its user alone where the authority does not know that, as polkit up to 126.
     *
     * @param uid who has authenticated
     * @throws DBusException why the authority refuses it: no such cookie, another user's
     * @throws io.holdfast.dbus.ConnectionLostException if there is no bus
     */
    void respond(Caller caller, String cookie, long uid) throws InterruptedException {
        Struct identity = Struct.of("unix-user", Map.of("uid", Variant.of("u", uid)));
        try (BusConnection connection = BusConnection.connect(bus, ConnectionOptions.DEFAULT)) {
            RemoteObject authority =
                    connection.object(PolicyKit1.NAME, PolicyKit1.PATH).withoutStart();
            if (connection.passesDescriptors() && respond3(authority, caller, cookie, identity)) {
                return;
            }
            authority.call(
                    PolicyKit1.INTERFACE,
                    "AuthenticationAgentResponse2",
                    "us(sa{sv})",
                    caller.realUid(),
                    cookie,
                    identity);
        }
    }

    /** False if the authority has no such method. */
    private static boolean respond3(
            RemoteObject authority, Caller caller, String cookie, Struct identity)
            throws InterruptedException {
        Struct agent = PolkitSubject.heldAndNumbered(caller.process(), caller.realUid());
        try {
            authority.call(
                    PolicyKit1.INTERFACE,
                    "AuthenticationAgentResponse3",
                    "s(sa{sv})(sa{sv})",
                    cookie,
                    identity,
                    agent);
            return true;
        } catch (DBusException e) {
            if (e.name().equals(DBusException.UNKNOWN_METHOD)) {
                return false;
            }
            throw e;
        }
    }
}
