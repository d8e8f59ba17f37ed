package io.holdfast.authority.agent;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A request of the authority to an agent. Its texts come from the action or from the mechanism:
 * they are not trusted, and have to be shown without their control characters.
 *
 * @param actionId the id of the action
 * @param message describes the operation, in the agent's language
 * @param iconName may be empty
 * @param details {@code polkit.caller-pid}, {@code polkit.subject-pid}
 * @param cookie identifies the dialog. Never shown or logged
 * @param uids the users who may authenticate, at least one
 */
public record AuthenticationRequest(
        String actionId,
        String message,
        String iconName,
        Map<String, String> details,
        String cookie,
        List<Long> uids) {
    /** The maximum number of users of a request. */
    public static final int MAX_IDENTITIES = 256;

    static final String SIGNATURE = "sssa{ss}sa(sa{sv})";

    /**
     * Checks the number of users.
     *
     * @throws IllegalArgumentException if there is no user, or more than {@value #MAX_IDENTITIES}
     */
    public AuthenticationRequest {
        details = Map.copyOf(details);
        uids = List.copyOf(uids);
        if (uids.isEmpty() || uids.size() > MAX_IDENTITIES) {
            throw new IllegalArgumentException(uids.size() + " users to authenticate");
        }
    }

    /**
     * Reads the arguments of BeginAuthentication.
     *
     * @throws DBusException INVALID_ARGS if no identity is a unix-user, or there are too many
     */
    static AuthenticationRequest of(MethodCall call) {
        Map<String, String> details = new LinkedHashMap<>();
        Map<?, ?> given = call.argument(3, Map.class);
        given.forEach((key, value) -> details.put(String.valueOf(key), String.valueOf(value)));
        List<Long> uids = new ArrayList<>();
        List<?> identities = call.argument(5, List.class);
        for (Object identity : identities) {
            if (identity instanceof Struct struct
                    && struct.get(0).equals("unix-user")
                    && struct.get(1) instanceof Map<?, ?> of
                    && of.get("uid") instanceof Variant(_, Long uid)
                    && !uids.contains(uid)) {
                uids.add(uid);
            }
        }
        if (uids.isEmpty() || uids.size() > MAX_IDENTITIES) {
            throw new DBusException(
                    DBusException.INVALID_ARGS, uids.size() + " users to authenticate");
        }
        return new AuthenticationRequest(
                call.string(0), call.string(1), call.string(2), details, call.string(4), uids);
    }

    @Override
    public String toString() {
        return actionId;
    }
}
