package io.holdfast.interop.authority;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Struct;
import java.util.Map;
import java.util.TreeMap;

/**
 * An authority's answer to a check.
 *
 * @param word {@code yes}, {@code no}, {@code challenge}, or the name of the error
 * @param details sorted; without {@code polkit.result}, which polkit sends from 127 on, and for a
 *     grant without the detail about retaining a challenge
 */
record Answer(String word, Map<String, String> details) {
    static final String SINCE_127 = "polkit.result";
    private static final String RETAINS = "polkit.retains_authorization_after_challenge";

    /** A call of {@code CheckAuthorization}. */
    @FunctionalInterface
    interface Call {
        Struct make() throws InterruptedException;
    }

    static Answer to(Call call) throws InterruptedException {
        try {
            return of(call.make());
        } catch (DBusException e) {
            return new Answer(e.name(), Map.of());
        }
    }

    private static Answer of(Struct result) {
        boolean authorized = (Boolean) result.get(0);
        boolean challenge = (Boolean) result.get(1);
        Map<String, String> details = new TreeMap<>();
        ((Map<?, ?>) result.get(2))
                .forEach((key, value) -> details.put((String) key, (String) value));
        details.remove(SINCE_127);
        if (authorized) {
            details.remove(RETAINS); // polkitd keeps it from an implying action
        }
        String word = authorized ? "yes" : challenge ? "challenge" : "no";
        return new Answer(authorized && challenge ? "yes and challenge" : word, details);
    }

    @Override
    public String toString() {
        return details.isEmpty() ? word : word + " " + details;
    }
}
