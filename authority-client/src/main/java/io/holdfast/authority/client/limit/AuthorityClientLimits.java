package io.holdfast.authority.client.limit;

import io.holdfast.core.limit.Limit;
import java.util.List;

/** The limits of this module that are system properties. */
public final class AuthorityClientLimits {
    /** Concurrent checks of a client over Varlink. */
    public static final Limit CONNECTIONS =
            Limit.count(
                    "io.holdfast.authority.connections",
                    64,
                    "concurrent checks of a client over Varlink; further checks wait");

    private AuthorityClientLimits() {}

    /** {@return all limits} */
    public static List<Limit> all() {
        return List.of(CONNECTIONS);
    }
}
