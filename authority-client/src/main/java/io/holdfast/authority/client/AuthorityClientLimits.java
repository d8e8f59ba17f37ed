package io.holdfast.authority.client;

import io.holdfast.core.limit.Limit;
import java.util.List;

/** The limits of this module that are system properties. */
public final class AuthorityClientLimits {
    static final Limit CONNECTIONS =
            Limit.count(
                    "io.holdfast.authority.connections",
                    64,
                    "questions of a client over Varlink that are under way; further ones wait");

    private AuthorityClientLimits() {}

    /** {@return all limits} */
    public static List<Limit> all() {
        return List.of(CONNECTIONS);
    }
}
