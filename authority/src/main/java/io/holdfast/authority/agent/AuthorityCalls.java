package io.holdfast.authority.agent;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.PolkitSubject;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The calls of a helper to the authority for one attempt. They use one connection, and the attempt
 * ends with it.
 */
final class AuthorityCalls implements AutoCloseable {
    private static final Set<String> UNKNOWN =
            Set.of(
                    DBusException.UNKNOWN_METHOD,
                    DBusException.UNKNOWN_INTERFACE,
                    DBusException.UNKNOWN_OBJECT);

    private final BusConnection connection;
    private final RemoteObject authority;
    private final CallingAgent caller;
    private final String cookie;
    private final Struct identity;

    private AuthorityCalls(BusConnection connection, CallingAgent caller, String cookie, long uid) {
        this.connection = connection;
        this.authority =
                connection.object(Authority.BUS_NAME, Authority.OBJECT_PATH).withoutStart();
        this.caller = caller;
        this.cookie = cookie;
        this.identity = Struct.of("unix-user", Map.of("uid", Variant.of("u", uid)));
    }

    /**
     * Checks that the caller may let a user authenticate for a cookie. polkitd does not have this
     * method; with polkitd, PAM runs without the check, as in polkit's own helper.
     *
     * @param uid the user who is to authenticate
     * @throws DBusException if the authority refuses it: no such cookie, a cookie of another user's
     *     agent, or too many attempts under way
     * @throws io.holdfast.dbus.ConnectionLostException if there is no bus
     */
    static AuthorityCalls begin(List<BusAddress> bus, CallingAgent caller, String cookie, long uid)
            throws InterruptedException {
        BusConnection connection = BusConnection.connect(bus, ConnectionOptions.standard());
        AuthorityCalls calls = new AuthorityCalls(connection, caller, cookie, uid);
        boolean begun = false;
        try {
            boolean _ = calls.isKnown(PolicyKit1.HELPER_INTERFACE, PolicyKit1.BEGIN_ATTEMPT);
            begun = true;
            return calls;
        } finally {
            if (!begun) {
                calls.close();
            }
        }
    }

    /**
     * Reports that the user has authenticated: with the agent's pidfd attached
     * (AuthenticationAgentResponse3), or only with the agent's user if the authority does not have
     * that method, as polkit up to 126.
     *
     * @throws DBusException if the authority refuses it: no such cookie, or one of another user's
     *     agent
     * @throws io.holdfast.dbus.ConnectionLostException if the bus has gone
     */
    void respond() throws InterruptedException {
        if (connection.passesDescriptors()
                && isKnown(Authority.BUS_INTERFACE, "AuthenticationAgentResponse3")) {
            return;
        }
        authority.call(
                Authority.BUS_INTERFACE,
                "AuthenticationAgentResponse2",
                "us(sa{sv})",
                caller.realUid(),
                cookie,
                identity);
    }

    /** Calls a method with cookie, user and agent; returns false if there is no such method. */
    private boolean isKnown(String face, String method) throws InterruptedException {
        PidFd process = caller.process();
        Struct agent =
                connection.passesDescriptors()
                        ? PolkitSubject.heldAndNumbered(process, caller.realUid())
                        : PolkitSubject.numbered(
                                process.pid(), process.proc().startTicks(), caller.realUid());
        try {
            authority.call(face, method, "s(sa{sv})(sa{sv})", cookie, identity, agent);
            return true;
        } catch (DBusException e) {
            if (UNKNOWN.contains(e.name())) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
